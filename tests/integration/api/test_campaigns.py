"""Campaigns at `/v1/campaigns`: made, listed, changed, paused, resumed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from integration.api.campaign_tools import a_campaign, a_one_off, campaign
from integration.api.conftest import Door


async def test_b_095_campaigns_are_listed_oldest_first_without_a_success_key(door: Door) -> None:
    assert await door.call("GET", "/v1/campaigns") == (200, {"campaigns": []})
    first, second = await campaign(door), await campaign(door, a_one_off(name="Sale", status="draft"))
    assert await door.call("GET", "/v1/campaigns") == (
        200,
        {
            "campaigns": [
                {"id": first, "name": "Appointment Reminder", "type": "recurring", "status": "running"},
                {"id": second, "name": "Sale", "type": "one_off", "status": "draft"},
            ]
        },
    )


async def test_b_097_a_campaign_is_made_seen_and_told_of(door: Door) -> None:
    """B-098: with what it sends, and when."""
    status, answer = await door.call("POST", "/v1/campaigns", a_campaign())
    made = answer["campaign"]
    assert (status, answer["success"]) == (201, True)
    known = {name: made[name] for name in made if name not in {"id", "created_at", "updated_at"}}
    assert known == {
        "name": "Appointment Reminder",
        "type": "recurring",
        "status": "running",
        "channel": "sms",
        "category": "marketing",
        "subject": None,
        "body": "Hi {first_name}, see you on {next_due_at}.",
        "offsets": ["P7D", "P1D"],
        "send_at": None,
    }
    assert await door.call("GET", f"/v1/campaigns/{made['id']}") == (200, answer)
    assert await door.events() == ["campaign.created"]


async def test_b_098_a_time_without_an_offset_is_of_the_account(door: Door) -> None:
    await door.execute("update accounts set time_zone = 'Asia/Jakarta'")
    _, answer = await door.call("POST", "/v1/campaigns", a_one_off(send_at="2030-01-01T09:00"))
    assert answer["campaign"]["send_at"] == "2030-01-01T02:00:00Z"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ..., "type": ..., "body": ...}, ["name", "type", "body"]),
        ({"name": " ", "type": "weekly", "body": " "}, ["name", "type", "body"]),
        ({"status": "completed", "channel": "fax", "category": "spam"}, ["status", "channel", "category"]),
        ({"body": "Hi {name}"}, ["body"]),
        ({"body": "{first_name"}, ["body"]),
        ({"body": "a" * 1_601}, ["body"]),
        ({"offsets": []}, ["offsets"]),
        ({"offsets": ["P1M", "-P1D", "soon"]}, ["offsets.0", "offsets.1", "offsets.2"]),
        ({"offsets": ["P1D", "P1D"]}, ["offsets"]),
        ({"offsets": ["P1D"] * 51}, ["offsets"]),
        ({"send_at": "2030-01-01T09:00Z"}, ["send_at"]),
        ({"type": "one_off", "send_at": "tomorrow"}, ["send_at"]),
        ({"type": "one_off"}, ["offsets"]),
        ({"subject": "a\nb"}, ["subject"]),
    ],
)
async def test_b_093_every_problem_of_a_campaign_is_named_at_once(
    visitor: Door, changes: dict[str, Any], fields: list[str]
) -> None:
    status, answer = await visitor.call("POST", "/v1/campaigns", a_campaign(**changes))
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert [problem["field"] for problem in answer["error"]["details"]["problems"]] == fields


async def test_b_097_a_change_keeps_what_it_leaves_out(door: Door) -> None:
    id = await campaign(door, a_campaign(channel="email", subject="Soon"))
    status, answer = await door.call("PATCH", f"/v1/campaigns/{id}", {"name": "Check-up", "offsets": ["PT2H"]})
    assert (status, answer["campaign"]["name"], answer["campaign"]["offsets"]) == (200, "Check-up", ["PT2H"])
    assert (answer["campaign"]["subject"], answer["campaign"]["status"]) == ("Soon", "running")
    _, answer = await door.call("PATCH", f"/v1/campaigns/{id}", {"subject": None})
    assert (answer["campaign"]["subject"], answer["campaign"]["name"]) == (None, "Check-up")
    assert await door.events() == ["campaign.created"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"offsets": []}, "offsets"),
        ({"type": "one_off"}, "type"),
        ({"send_at": "2030-01-01T09:00Z"}, "send_at"),
        ({"status": "draft"}, "status"),
    ],
)
async def test_b_093_a_change_that_makes_no_campaign_is_refused(
    visitor: Door, change: dict[str, Any], field: str
) -> None:
    id = await campaign(visitor)
    status, answer = await visitor.call("PATCH", f"/v1/campaigns/{id}", change)
    assert (status, answer["error"]["code"], answer["error"]["details"]["field"]) == (400, "VALIDATION_ERROR", field)


async def test_b_096_a_campaign_is_paused_resumed_and_completed(visitor: Door) -> None:
    """Resuming starts a draft; what is completed stays so."""
    id = await campaign(visitor, a_campaign(status="draft"))
    status, answer = await visitor.call("POST", f"/v1/campaigns/{id}/pause")
    assert (status, answer["error"]["code"]) == (409, "CAMPAIGN_DRAFT")
    for verb, wanted in [("resume", "running"), ("pause", "paused"), ("pause", "paused"), ("resume", "running")]:
        status, answer = await visitor.call("POST", f"/v1/campaigns/{id}/{verb}")
        assert (status, answer["campaign"]["status"]) == (200, wanted)
    _, answer = await visitor.call("PATCH", f"/v1/campaigns/{id}", {"status": "completed"})
    assert answer["campaign"]["status"] == "completed"
    status, answer = await visitor.call("POST", f"/v1/campaigns/{id}/resume")
    assert (status, answer["error"]["code"]) == (409, "CAMPAIGN_COMPLETED")


async def test_b_092_a_campaign_of_nobody_or_of_another_is_not_found(visitor: Door) -> None:
    other = await visitor.another_account()
    id = await campaign(visitor)
    for path in (f"/v1/campaigns/{uuid4()}", "/v1/campaigns/42"):
        status, answer = await visitor.call("GET", path)
        assert (status, answer["error"]["code"]) == (404, "CAMPAIGN_NOT_FOUND")
    for method, path, body in [
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
    ]:
        status, answer = await visitor.call(method, f"/v1/campaigns/{id}{path}", body, key=other.api_key)
        assert (status, answer["error"]["code"]) == (404, "CAMPAIGN_NOT_FOUND")
