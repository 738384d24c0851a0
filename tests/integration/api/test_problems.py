"""What a caller is told of a bad request: every problem once, in a plain sentence, and no more than can be read."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from tests.builders import an_item
from tests.integration.api.conftest import Door

CREATE = "/api/reminder/item/create"
CONFIGURATION = "/api/reminder/configuration"
JARGON = re.compile(
    r"input|string|tuple|array|pattern|\^|\[0-9\]|timedelta|pydantic|validation|integer|boolean|extra", re.IGNORECASE
)


async def _post(door: Door, path: str, body: bytes) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **door.key}
    response = await door.client.post(path, data=body, headers=headers)
    return response.status, await response.json()


def _written(text: str, **changes: Any) -> bytes:
    """A good item's JSON with `text` put in front of its fields."""
    return b"{" + text.encode() + b"," + json.dumps(an_item(**changes)).encode()[1:]


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ('"x": "first", "x": "second"', "x", "repeated"),
        ('"x": 1, "x": 1', "x", "repeated"),
        ('"x": {"y": [{"z": 1, "z": 2}]}', "x.y.0.z", "repeated"),
        ('"x": NaN', "x", "no_number"),
        ('"x": [1, -Infinity]', "x.1", "no_number"),
        ('"x": 1e999', "x", "no_number"),
        ('"x": "a\\u0000"', "x", "nul"),
        ('"x": {"a\\u0000": 1}', "x", "nul"),
    ],
)
async def test_b_034_what_readers_of_json_disagree_about_is_refused_in_unknown_fields_too(
    visitor: Door, text: str, field: str, code: str
) -> None:
    status, refused = await _post(visitor, CREATE, _written(text))
    told = [(problem["field"], problem["code"]) for problem in refused["error"]["details"]]
    assert (status, told) == (400, [(field, code)])
    body = f'{{"name": "Mine", "target_url": "https://example.com/", "event_types": ["message.sent"], {text}}}'
    status, refused = await _post(visitor, "/v1/webhooks", body.encode())
    assert (status, refused["success"], refused["error"]["details"]["problems"][0]["code"]) == (400, False, code)


async def test_an_escaped_backslash_is_no_nul(visitor: Door) -> None:
    """B-044."""
    assert (await _post(visitor, CREATE, _written('"x": "\\\\u0000", "y": [1.5, 10e2, -3]')))[0] == 201


async def test_b_028_a_list_is_measured_before_its_items_are_read(visitor: Door) -> None:
    """B-034: one sentence, not 50,000."""
    body = json.dumps(an_item() | {"sendTimes": ["x"] * 50_000}).encode()
    status, refused = await _post(visitor, CREATE, body)
    assert (status, refused["error"]["details"]) == (
        400,
        [{"field": "sendTimes", "reason": "must have 1 to 1000 items", "code": "too_long"}],
    )


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (CREATE, an_item(templateParameters=[1] * 40_000), "templateParameters"),
        ("/api/reminder/item/bulk", {"action": "cancel", "ids": [1] * 40_000}, "ids"),
        (
            "/api/reminder/item/bulk",
            {"action": "reschedule", "ids": ["a"], "sendTimes": ["x"] * 40_000},
            "sendTimes",
        ),
        (
            "/v1/webhooks",
            {"name": "a", "target_url": "https://example.com/", "event_types": ["x"] * 40_000},
            "event_types",
        ),
    ],
)
async def test_no_list_is_read_that_is_too_long(visitor: Door, path: str, body: Any, field: str) -> None:
    """B-034."""
    started = time.monotonic()
    status, refused = await visitor.call("POST", path, body)
    details = refused["error"]["details"]
    problems = details["problems"] if path.startswith("/v1") else details
    assert (status, [(one["field"], one["code"]) for one in problems]) == (400, [(field, "too_long")])
    assert time.monotonic() - started < 1


async def test_b_034_the_first_fifty_problems_are_told_and_the_others_counted(visitor: Door) -> None:
    body = an_item() | {"sendTimes": ["x"] * 1_000}
    status, refused = await visitor.call("POST", CREATE, body)
    assert (status, len(refused["error"]["details"]), refused["error"]["more"]) == (400, 50, 950)
    types = ["x"] * 200
    status, refused = await visitor.call(
        "POST", "/v1/webhooks", {"name": "a", "target_url": "https://example.com/", "event_types": types}
    )
    details = refused["error"]["details"]
    assert (status, len(details["problems"]), details["more"]) == (400, 50, 150)
    assert refused["error"]["message"].endswith("; and 150 more")


WRONG: list[tuple[str, str, Any, set[str]]] = [
    (
        "POST",
        CREATE,
        {},
        {"countryCode", "phoneNumber", "notificationTemplateName", "templateParameters", "sendTimes", "id"},
    ),
    ("POST", CREATE, an_item() | {"sendTimes": ["x"]}, {"sendTimes.0"}),
    ("POST", CREATE, an_item() | {"sendTimes": []}, {"sendTimes"}),
    ("POST", CREATE, an_item() | {"sendTimes": "x", "templateParameters": {}}, {"sendTimes", "templateParameters"}),
    ("POST", CREATE, an_item() | {"id": "list", "countryCode": "+999"}, {"id", "countryCode"}),
    ("POST", CREATE, an_item() | {"id": "", "recipientName": "x" * 300}, {"id", "recipientName"}),
    ("PUT", "/api/reminder/item/update", {"id": 1, "status": "gone"}, {"id", "status"}),
    (
        "POST",
        "/api/reminder/item/bulk",
        {"action": "x", "ids": [1], "dryRun": 1, "y": 2},
        {"action", "ids.0", "dryRun", "y"},
    ),
    ("GET", "/api/reminder/item/list?pageSize=x&skip=-1&status=gone", None, {"pageSize", "skip", "status"}),
    ("GET", "/sandbox/messages?limit=x", None, {"limit"}),
    (
        "POST",
        CONFIGURATION,
        {"agentId": "", "channel": 1, "graceSeconds": "PT1H"},
        {"agentId", "channel", "graceSeconds"},
    ),
    ("POST", CONFIGURATION, {"agentId": "a", "graceSeconds": 10**30}, {"graceSeconds"}),
    ("POST", f"{CONFIGURATION}/default/default/refresh-keys?graceSeconds=1.5", None, {"graceSeconds"}),
    ("POST", "/v1/webhooks", {"name": " ", "target_url": "", "event_types": []}, {"name", "target_url", "event_types"}),
    (
        "POST",
        "/v1/webhooks",
        {"name": "a", "target_url": "ftp://x", "event_types": ["x"]},
        {"target_url", "event_types.0"},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "fields"), WRONG)
async def test_b_034_each_problem_is_one_plain_sentence_and_none_is_caused_by_another(
    visitor: Door, method: str, path: str, body: Any, fields: set[str]
) -> None:
    status, refused = await visitor.call(method, path, body)
    details = refused["error"]["details"]
    problems = details["problems"] if path.startswith("/v1") else details
    assert status == 400
    assert sorted(problem["field"] for problem in problems) == sorted(fields), problems
    assert not [problem["reason"] for problem in problems if JARGON.search(problem["reason"])]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "ftp://example.com", "x", "https://localhost/"])
async def test_c_3_a_bad_webhook_url_is_named_with_the_other_problems_of_its_body(visitor: Door, url: str) -> None:
    """B-034."""
    body = {"agentId": "item", "timezone": "Mars", "integrationSettings": {"webhookUrl": url}}
    status, refused = await visitor.call("POST", CONFIGURATION, body)
    named = {problem["field"] for problem in refused["error"]["details"]}
    assert (status, named) == (400, {"agentId", "timezone", "integrationSettings.webhookUrl"})
    body |= {"agentId": "default", "configurationId": "default"}
    _, refused = await visitor.call("PUT", CONFIGURATION, body)
    assert {problem["field"] for problem in refused["error"]["details"]} == {
        "timezone",
        "integrationSettings.webhookUrl",
    }


async def test_a_long_name_is_not_told_back_whole(visitor: Door) -> None:
    """B-034."""
    status, refused = await visitor.call(
        "POST", "/api/reminder/item/bulk", {"action": "cancel", "ids": ["a"], "x" * 9_000: 1}
    )
    assert (status, len(refused["error"]["details"][0]["field"])) == (400, 101)


async def test_an_id_that_stands_twice_is_not_the_last_one(visitor: Door) -> None:
    """B-034."""
    status, refused = await _post(visitor, CREATE, _written('"id": "first"'))
    assert (status, [one["field"] for one in refused["error"]["details"]]) == (400, ["id"])


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("DELETE", "/api/reminder/item/item-1?agentid=agent", None, "agentid"),
        ("POST", "/api/reminder/item/bulk?agent=agent", {"action": "delete", "ids": ["item-1"]}, "agent"),
        ("POST", "/v1/webhooks/delete", {"endpoint_id": "x", "dry_run": True}, "dry_run"),
        ("POST", "/v1/webhooks/00000000-0000-7000-8000-000000000000/rotate-secret", {"Phase": "retire"}, "Phase"),
        (
            "POST",
            "/v1/webhooks/00000000-0000-7000-8000-000000000000/replay",
            {"delivery_id": "x", "state": []},
            "state",
        ),
    ],
)
async def test_b_034_what_destroys_something_takes_no_mistyped_field(
    visitor: Door, method: str, path: str, body: Any, field: str
) -> None:
    await visitor.call("POST", CREATE, an_item())
    status, refused = await visitor.call(method, path, body)
    details = refused["error"]["details"]
    problems = details["problems"] if path.startswith("/v1") else details
    assert (status, [(one["field"], one["code"]) for one in problems]) == (400, [(field, "extra_forbidden")])
    assert (await visitor.call("GET", "/api/reminder/item/item-1"))[0] == 200


async def test_b_063_a_filter_keeps_to_the_configuration_that_stands_beside_it(visitor: Door) -> None:
    """B-065."""
    await visitor.call("POST", CONFIGURATION, {"agentId": "agent", "configurationId": "c"})
    await visitor.call("POST", CREATE, an_item())
    await visitor.call("POST", CREATE, an_item("item-2") | {"agentId": "agent", "configurationId": "c"})
    body = {"action": "delete", "filter": {"status": "active"}, "agentId": "agent", "configurationId": "c"}
    _, told = await visitor.call("POST", "/api/reminder/item/bulk", body)
    assert [one["id"] for one in told["results"]] == ["item-2"]
    assert (await visitor.call("GET", "/api/reminder/item/item-1"))[0] == 200
