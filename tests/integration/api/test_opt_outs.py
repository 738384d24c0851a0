"""Who opted out is written to at no door, however the reminder came in (B-267); consent is for marketing (B-268)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from services.scheduler.scheduler import Scheduler
from tests.builders import a_reminder, an_item, in_future

if TYPE_CHECKING:
    from conftest import Door

PHONE, OWNER = "+447912345678", "owner@example.com"
BRITISH = {"countryCode": "+44", "phoneNumber": "7912345678"}


async def opt_out(door: Door, **body: Any) -> tuple[int, Any]:
    return await door.call("POST", "/v1/opt-outs", body)


async def a_contact(door: Door, **fields: Any) -> str:
    status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE, "first_name": "John", **fields})
    assert status in {200, 201}, answer
    id: str = answer["contact_id"]
    return id


async def by_integration(door: Door) -> None:
    status, _ = await door.reminder("POST", "r-1", a_reminder(**BRITISH))
    assert status in {200, 201}


async def by_items(door: Door) -> None:
    status, _ = await door.call("POST", "/api/reminder/item/create", an_item(**BRITISH))
    assert status in {200, 201}


async def by_message(door: Door) -> None:
    body = {"contact_id": await a_contact(door), "body": "Hello"}
    status, answer = await door.call("POST", "/v1/messages", body)
    assert status == 202, answer


async def by_campaign(door: Door, *, category: str = "marketing", consent: bool = True) -> None:
    body = {"name": "Sale", "type": "one_off", "status": "running", "category": category, "body": "Hello"}
    status, answer = await door.call("POST", "/v1/campaigns", body)
    assert status == 201, answer
    campaigns = [answer["campaign"]["id"]]
    status, answer = await door.call(
        "POST", "/v1/contacts", {"phone": PHONE, "marketing_consent": consent, "campaign_ids": campaigns}
    )
    assert status in {200, 201}, answer
    assert [one["status"] for one in answer["enrollments"]] == ["enrolled"]


async def by_crm(door: Door) -> None:
    await door.execute("update accounts set owner_email = $1", OWNER)
    status, answer = await door.call("POST", "/api/contacts", {"first_name": "Regis", "last_name": "F"})
    assert status == 201, answer
    body = {
        "title": "Call",
        "next_expected_date": in_future(days=9)[:10],
        "frequency_type": "one_time",
        "contact_id": answer["data"]["id"],
    }
    status, answer = await door.call("POST", "/api/reminders", body)
    assert status in {200, 201}, answer


async def by_appointments(door: Door) -> None:
    status, kind = await door.call("POST", "/events/types", {"type": "visit"})
    assert status == 200, kind
    message = {"eventType": {"uuid": kind["uuid"]}, "messageType": "REMINDER", "text": "See you"}
    status, answer = await door.call("POST", "/events/types/messages", message)
    assert status == 200, answer
    body = {
        "externalEventId": "12345",
        "phone": PHONE,
        "eventType": {"uuid": kind["uuid"]},
        "eventDateTime": in_future(days=9)[:19],
        "subscriberTimeZone": "Europe/London",
    }
    status, answer = await door.call("POST", "/events/reminders", body)
    assert status == 200, answer


DOORS = pytest.mark.parametrize(
    ("create", "address"),
    [
        (by_integration, {"phone": PHONE}),
        (by_items, {"phone": PHONE}),
        (by_message, {"phone": PHONE}),
        (by_campaign, {"phone": PHONE}),
        (by_crm, {"email": OWNER.upper()}),
        (by_appointments, {"phone": PHONE}),
    ],
    ids=["S0", "S1", "S2-message", "S2-campaign", "S3", "S4"],
)


async def come_due(door: Door) -> dict[str, Any]:
    """The first send of the only reminder, after the scheduler has looked at it in time."""
    await door.execute("update occurrences set due_at = clock_timestamp(), scheduled_for = clock_timestamp()")
    await Scheduler(door.runtime).tick()
    (row,) = await door.fetch("select state, reason, reminder_id from occurrences order by seq limit 1")
    return row


@DOORS
async def test_b_267_an_opt_out_before_it_is_due_ends_the_send_at_every_door(
    door: Door, create: Callable[[Door], Awaitable[None]], address: dict[str, str]
) -> None:
    """And history and events say why."""
    await create(door)
    assert (await opt_out(door, **address))[0] == 201
    ended = await come_due(door)
    assert (ended["state"], ended["reason"]) == ("skipped", "opted_out")
    told = await door.fetch("select action, detail from history where reminder_id = $1", ended["reminder_id"])
    assert [row["action"] for row in told if "opted_out" in row["detail"]] == ["Skipped"]
    events = await door.fetch("select data from outbox where type in ('message.failed', 'message.skipped')")
    assert [event["data"]["reason"] for event in events] == ["opted_out"]


@DOORS
async def test_b_267_without_an_opt_out_or_after_its_end_the_send_is_made(
    door: Door, create: Callable[[Door], Awaitable[None]], address: dict[str, str]
) -> None:
    assert (await opt_out(door, **address))[0] == 201
    path = f"/v1/opt-outs/{next(iter(address.values()))}"
    assert await door.call("DELETE", path) == (200, {"success": True, "deleted": True})
    await create(door)
    assert (await come_due(door))["state"] == "queued"


@pytest.mark.parametrize(
    ("category", "consent", "state", "reason"),
    [
        ("marketing", False, "skipped", "no_marketing_consent"),
        ("marketing", True, "queued", None),
        ("transactional", False, "queued", None),
    ],
)
async def test_b_268_and_b_146_missing_consent_stops_marketing_campaigns_alone(
    door: Door, category: str, consent: bool, state: str, reason: str | None
) -> None:
    await by_campaign(door, category=category, consent=consent)
    ended = await come_due(door)
    assert (ended["state"], ended["reason"]) == (state, reason)


async def test_b_146_missing_consent_does_not_stop_a_message(door: Door) -> None:
    await by_message(door)
    assert (await come_due(door))["state"] == "queued"


async def test_b_268_consent_that_is_taken_back_before_it_is_due_stops_the_campaign(door: Door) -> None:
    await by_campaign(door)
    await a_contact(door, marketing_consent=False)
    assert (await come_due(door))["reason"] == "no_marketing_consent"


async def test_b_267_the_list_of_opt_outs_is_read_and_changed_by_address(door: Door) -> None:
    status, first = await opt_out(door, phone=PHONE, source="call centre")
    assert (status, first["opt_out"]["address"], first["opt_out"]["source"]) == (201, PHONE, "call centre")
    assert await opt_out(door, phone=PHONE, source="again") == (200, first)
    status, second = await opt_out(door, email="Amy@Example.org")
    assert (status, second["opt_out"]["address"], second["opt_out"]["source"]) == (201, "amy@example.org", "api")
    for path, expected in (
        (f"/v1/opt-outs/{PHONE}", first),
        ("/v1/opt-outs/447912345678", first),
        ("/v1/opt-outs/AMY@example.ORG", second),
    ):
        response = await door.client.get(URL(path, encoded=True), headers=door.key)
        assert (response.status, await response.json()) == (200, expected)
    status, listed = await door.call("GET", "/v1/opt-outs?limit=1")
    assert status == 200
    assert listed == {"success": True, "opt_outs": [second["opt_out"]], "total": 2, "limit": 1, "offset": 0}
    other = (await door.another_account()).api_key
    for method in ("GET", "DELETE"):
        status, answer = await door.call(method, f"/v1/opt-outs/{PHONE}", key=other)
        assert (status, answer["error"]["code"]) == (404, "OPT_OUT_NOT_FOUND")
    assert (await door.call("DELETE", f"/v1/opt-outs/{PHONE}"))[0] == 200
    status, answer = await door.call("DELETE", f"/v1/opt-outs/{PHONE}")
    assert (status, answer["error"]["code"]) == (404, "OPT_OUT_NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_IDENTIFIER"),
        ({"phone": "0791"}, "INVALID_PHONE_FORMAT"),
        ({"email": "x"}, "INVALID_EMAIL_FORMAT"),
        ({"phone": PHONE, "email": "a@example.com"}, "VALIDATION_ERROR"),
        ({"phone": PHONE, "source": ""}, "VALIDATION_ERROR"),
        ({"phone": 7}, "VALIDATION_ERROR"),
    ],
)
async def test_b_267_what_is_no_address_is_refused(visitor: Door, body: dict[str, Any], code: str) -> None:
    status, answer = await opt_out(visitor, **body)
    assert (status, answer["error"]["code"]) == (400, code)
    status, answer = await visitor.call("GET", "/v1/opt-outs/nothing")
    assert (status, answer["error"]["code"]) == (404, "OPT_OUT_NOT_FOUND")
