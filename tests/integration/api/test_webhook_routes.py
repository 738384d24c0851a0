"""The webhook routes of seed 002 over HTTP: shapes, refusals, tenancy, rotation, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.api.webhook_tools import GOOD, create, deliveries

if TYPE_CHECKING:
    from conftest import Door


async def test_b_149_creating_shows_the_secret_and_nothing_else_ever_does(door: Door) -> None:
    """B-086, B-087, B-147, B-148, B-149, B-150, B-152."""
    made = await create(door)
    assert made["success"] is True
    assert made["signing_secret"].startswith("whsec_")
    endpoint = made["endpoint"]
    assert {name: endpoint[name] for name in GOOD} == GOOD
    assert (endpoint["source"], endpoint["status"]) == ("manual", "active")
    status, listed = await door.call("GET", "/v1/webhooks")
    assert status == 200
    assert listed == {"success": True, "endpoints": [endpoint]}
    one = await door.call("GET", f"/v1/webhooks/{endpoint['id']}")
    assert one == (200, {"success": True, "endpoint": endpoint})
    assert "whsec_" not in str(listed)


async def test_b_151_duplicate_types_are_collapsed_and_catalogue_types_allowed(door: Door) -> None:
    made = await create(door, event_types=["message.sent", "endpoint.disabled", "message.sent"])
    assert made["endpoint"]["event_types"] == ["message.sent", "endpoint.disabled"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/x",
        "https://169.254.169.254/latest",
        "https://user:pw@example.com/",
        "https://example.com:5432/",
        "ftp://example.com/",
        "https://example.com/#x",
        "https://[::1]/",
        "https://example.com/" + "x" * 2048,
        "",
    ],
)
async def test_b_151_a_url_that_may_not_be_reached_is_named(door: Door, url: str) -> None:
    """B-093: 400 VALIDATION_ERROR naming `target_url`, and nothing is written; the same at a change."""
    status, body = await door.call("POST", "/v1/webhooks", {**GOOD, "target_url": url})
    assert status == 400
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert body["error"]["details"]["field"] == "target_url"
    assert await door.fetch("select id from endpoints") == []
    made = await create(door)
    status, _ = await door.call("PATCH", f"/v1/webhooks/{made['endpoint']['id']}", {"target_url": url})
    assert status == 400


async def test_b_093_all_problems_are_named_at_once(door: Door) -> None:
    """B-090, B-091, B-094: the envelope, with the request's id."""
    wrong = {"name": "a\r\nb", "target_url": "gopher://x", "event_types": ["no.such", "message.sent"]}
    status, body = await door.call("POST", "/v1/webhooks", wrong)
    assert status == 400
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    named = {problem["field"] for problem in body["error"]["details"]["problems"]}
    assert named == {"name", "target_url", "event_types.0"}
    assert body["error"]["details"]["request_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"event_types": []},
        {"event_types": "message.sent"},
        {"name": ""},
        {"name": 7},
        {"name": "a\x00b"},
        {"name": None},
    ],
)
async def test_b_151_bad_values_are_refused(door: Door, change: dict[str, Any]) -> None:
    status, body = await door.call("POST", "/v1/webhooks", {**GOOD, **change})
    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_b_093_malformed_json_is_a_validation_error(door: Door) -> None:
    for broken in (b"{", b"[]", b"null", b"", b'{"name": NaN}', b"\xff"):
        response = await door.client.post(
            "/v1/webhooks", data=broken, headers={**door.key, "Content-Type": "application/json"}
        )
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "VALIDATION_ERROR"


async def test_b_088_and_b_089_no_entry_without_a_good_key(door: Door) -> None:
    """B-087, B-092: missing, wrong and expired."""
    response = await door.client.get("/v1/webhooks")
    assert (response.status, (await response.json())["error"]["code"]) == (401, "INVALID_API_KEY")
    status, body = await door.call("GET", "/v1/webhooks", key="sk_live_wrong")
    assert (status, body["error"]["code"]) == (401, "INVALID_API_KEY")
    bearer = {"Authorization": f"Bearer {door.account.api_key}"}
    assert (await door.client.get("/v1/webhooks", headers=bearer)).status == 200
    await door.execute("update credentials set expires_at = now() - interval '1 second' where kind = 'api_key'")
    status, body = await door.call("GET", "/v1/webhooks")
    assert (status, body["error"]["code"]) == (401, "API_KEY_EXPIRED")


async def test_b_094_a_bug_is_a_500_without_its_insides(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr("services.api.core.endpoints.list_endpoints", broken)
    status, body = await door.call("GET", "/v1/webhooks")
    assert (status, body["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert body["error"]["details"]["request_id"]
    assert "insides" not in str(body)


async def test_b_093_unknown_paths_answer_in_the_same_envelope(door: Door) -> None:
    status, body = await door.call("GET", "/v1/nothing")
    assert status == 404
    assert body["success"] is False


async def test_b_153_deleting_removes_the_endpoint_and_its_history(door: Door) -> None:
    for method, path, json in (
        ("POST", "/v1/webhooks/delete", lambda id: {"endpoint_id": id}),
        ("DELETE", "/v1/webhooks/{}", lambda _: None),
    ):
        id = (await create(door))["endpoint"]["id"]
        await deliveries(door, "pending", "delivered", endpoint=id)
        assert await door.call(method, path.format(id), json(id)) == (200, {"success": True, "deleted": True})
        assert await door.fetch("select id from deliveries") == []
        status, body = await door.call(method, path.format(id), json(id))
        assert (status, body["error"]["code"]) == (404, "ENDPOINT_NOT_FOUND")


ROUTES = [
    ("GET", "/v1/webhooks/{}", None),
    ("PATCH", "/v1/webhooks/{}", {"name": "mine"}),
    ("DELETE", "/v1/webhooks/{}", None),
    ("POST", "/v1/webhooks/delete", {"endpoint_id": "{}"}),
    ("POST", "/v1/webhooks/{}/enable", None),
    ("POST", "/v1/webhooks/{}/rotate-secret", {"phase": "stage"}),
    ("POST", "/v1/webhooks/{}/test", None),
    ("GET", "/v1/webhooks/{}/deliveries", None),
    ("GET", "/v1/webhooks/{}/deliveries/" + str(uuid4()), None),
    ("POST", "/v1/webhooks/{}/replay", {"from": "2026-01-01T00:00:00Z"}),
    ("POST", "/v1/webhooks/{}/replay", {"delivery_id": str(uuid4())}),
    ("GET", "/v1/webhooks/{}/backfills/" + str(uuid4()), None),
]


@pytest.mark.parametrize(("method", "path", "json"), ROUTES)
async def test_another_accounts_endpoint_is_as_unknown_as_any(
    door: Door, method: str, path: str, json: dict[str, str] | None
) -> None:
    """B-093: the same answer for another account's id, a random one and one that is no id."""
    theirs = (await create(door))["endpoint"]["id"]
    before = await door.fetch("select * from endpoints")
    stranger = (await door.another_account()).api_key
    answers = []
    for id in (theirs, str(uuid4()), "nonsense"):
        body = None if json is None else {name: value.replace("{}", id) for name, value in json.items()}
        status, answer = await door.call(method, path.format(id), body, key=stranger)
        answer["error"]["details"].pop("request_id")
        answers.append((status, answer))
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], answers[0][1]["error"]["code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert await door.fetch("select * from endpoints") == before
