"""Removing a contact: nothing more is sent to it, and with `erase` nothing of it is left (document 002, B-129)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from integration.api.test_opt_outs import by_campaign, by_message

from tests.builders import in_future

if TYPE_CHECKING:
    from conftest import Door

PHONE = "+447912345678"


async def the_contact(door: Door) -> str:
    status, answer = await door.call("GET", f"/v1/contacts/{PHONE}")
    assert status == 200
    id: str = answer["contact"]["id"]
    return id


async def delete(door: Door, id: str, query: str = "") -> tuple[int, Any]:
    return await door.call("DELETE", f"/v1/contacts/{id}{query}")


async def crm_reminder(door: Door, contact: str) -> None:
    """A reminder of the CRM door about this contact."""
    await door.execute("update accounts set owner_email = 'owner@example.com'")
    (row,) = await door.fetch("select number from contacts where id = $1::text::uuid", contact)
    body = {
        "title": "Call",
        "next_expected_date": in_future(days=9)[:10],
        "frequency_type": "one_time",
        "contact_id": row["number"],
    }
    status, answer = await door.call("POST", "/api/reminders", body)
    assert status in {200, 201}, answer


async def test_b_129_pending_sends_are_cancelled_and_what_was_planned_stays_as_a_record(door: Door) -> None:
    await by_campaign(door)
    await by_message(door)
    id = await the_contact(door)
    assert await delete(door, id) == (200, {"success": True, "deleted": True})
    assert await door.fetch("select id from contacts") == []
    rows = await door.fetch("select status, contact_id, enrollment_id from reminders")
    assert rows == [{"status": "cancelled", "contact_id": None, "enrollment_id": None}] * 2
    assert {row["state"] for row in await door.fetch("select state from occurrences")} == {"cancelled"}
    events = await door.events()
    assert events.count("reminder.cancelled") == 2
    assert events[-1] == "contact.deleted"
    (told,) = await door.fetch("select subject, data from outbox where type = 'contact.deleted'")
    assert str(told["subject"]) == id
    assert set(told["data"]) == {"contact_id", "deleted_at"}
    for again in (await delete(door, id), await door.call("GET", f"/v1/contacts/{id}")):
        assert (again[0], again[1]["error"]["code"]) == (404, "CONTACT_NOT_FOUND")


async def test_b_129_and_b_143_a_message_that_is_cancelled_counts_against_no_quota(door: Door) -> None:
    await by_message(door)
    used = "select segments from quota_use"
    assert await door.fetch(used) == [{"segments": 1}]
    assert (await delete(door, await the_contact(door)))[0] == 200
    assert await door.fetch(used) == [{"segments": 0}]


async def test_b_129_reminders_of_the_crm_door_go_with_their_contact(door: Door) -> None:
    await by_message(door)
    id = await the_contact(door)
    await crm_reminder(door, id)
    assert (await delete(door, id))[0] == 200
    assert [row["door"] for row in await door.fetch("select door from reminders")] == ["campaigns"]
    assert (await door.events()).count("reminder.deleted") == 1


async def test_b_129_erasing_leaves_nothing_but_ids_and_the_opt_out(door: Door) -> None:
    await by_campaign(door)
    await by_message(door)
    id = await the_contact(door)
    await crm_reminder(door, id)
    assert (await door.call("POST", "/v1/opt-outs", {"phone": PHONE}))[0] == 201
    assert (await delete(door, id, "?erase=true"))[0] == 200
    for table in ("contacts", "reminders", "occurrences", "attempts", "history", "enrollments", "consents"):
        assert await door.fetch(f"select 1 from {table}") == [], table
    assert len(await door.fetch("select 1 from deleted_reminders")) == 3
    assert (await door.events()).count("reminder.deleted") == 3
    assert len(await door.fetch("select 1 from suppressions")) == 1


@pytest.mark.parametrize("query", ["?erase=yes", "?erase=", "?erased=true", "?erase=true&erase=true"])
async def test_b_129_what_destroys_is_asked_for_exactly(door: Door, query: str) -> None:
    await by_message(door)
    id = await the_contact(door)
    status, answer = await delete(door, id, query)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert await the_contact(door) == id
    for nobody in (PHONE, "x", id.replace(id[-4:], "0000")):
        status, answer = await delete(door, nobody)
        assert (status, answer["error"]["code"]) == (404, "CONTACT_NOT_FOUND")


async def test_b_111_an_unknown_campaign_leaves_nothing_written(door: Door) -> None:
    await by_campaign(door)
    known = str((await door.fetch("select id from campaigns"))[0]["id"])
    for unknown in ("018f2e6a-0000-7000-8000-000000000000", "campaign-uuid"):
        body = {"phone": "+447912345679", "marketing_consent": True, "campaign_ids": [known, unknown]}
        status, answer = await door.call("POST", "/v1/contacts", body)
        assert (status, answer["error"]["code"]) == (404, "CAMPAIGN_NOT_FOUND")
    assert len(await door.fetch("select 1 from contacts")) == 1
    assert len(await door.fetch("select 1 from enrollments")) == 1


async def test_b_111_and_b_109_enrolments_are_told_in_the_order_of_the_request(door: Door) -> None:
    ids = []
    for status in ("running", "paused", "running"):
        body = {"name": "A", "type": "one_off", "body": "Hello", "status": status}
        made = await door.call("POST", "/v1/campaigns", body)
        ids.append(made[1]["campaign"]["id"] if made[0] == 201 else None)
    wanted = [id for id in reversed(ids) if id]
    body = {"phone": PHONE, "marketing_consent": True, "campaign_ids": [*wanted, wanted[0]]}
    status, answer = await door.call("POST", "/v1/contacts", body)
    assert status == 201
    assert [one["campaign_id"] for one in answer["enrollments"]] == wanted
    assert {one["status"] for one in answer["enrollments"]} <= {"enrolled", "skipped"}
    assert all(one["enrollment_id"] for one in answer["enrollments"] if one["status"] == "enrolled")
    _, again = await door.call("POST", "/v1/contacts", body)
    assert "already_enrolled" in {one["status"] for one in again["enrollments"]}
