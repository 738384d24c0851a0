"""Sends in doubt are listed, and a person's word settles them, once (B-263)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.builders import a_reminder

if TYPE_CHECKING:
    from conftest import Door


async def park(door: Door, *names: str, minutes_ago: float = 1) -> list[str]:
    """Reminders whose only send was parked so long ago, each a second after the one before; the sends' ids."""
    ids = []
    for place, name in enumerate(names):
        status, _ = await door.reminder("POST", name, a_reminder())
        assert status in {200, 201}
        await door.execute(
            """with o as (
                   update occurrences o set state = 'uncertain', lease_until = null, attempt = 1, failures = 1,
                       attempt_id = gen_random_uuid(), attempt_started_at = ended.at - interval '9 seconds',
                       provider = 'twilio', takes_key = false, reason = 'no answer came in time', ended_at = ended.at,
                       scheduled_for = ended.at - interval '10 seconds', due_at = ended.at - interval '10 seconds'
                   from (select clock_timestamp() - $2 * interval '1 minute' + $3 * interval '1 second' as at) ended,
                       reminders r
                   where r.id = o.reminder_id and r.external_id = $1
                   returning o.reminder_id, o.ended_at)
               update reminders r set status = 'expired', ended_at = o.ended_at, updated_at = o.ended_at
               from o where r.id = o.reminder_id""",
            name,
            minutes_ago,
            place,
        )
        (row,) = await door.fetch(
            "select o.id from occurrences o join reminders r on r.id = o.reminder_id where r.external_id = $1", name
        )
        ids.append(str(row["id"]))
    return ids


async def resolve(door: Door, id: str, **body: Any) -> tuple[int, Any]:
    return await door.call("POST", f"/v1/uncertain/{id}/resolve", body)


async def test_parked_sends_are_listed_page_by_page_the_oldest_first_b_263(door: Door) -> None:
    ids = await park(door, "a", "b", "c")
    status, answer = await door.call("GET", "/v1/uncertain?limit=2")
    assert status == 200
    assert [one["id"] for one in answer["uncertain"]] == ids[:2]
    assert (answer["success"], answer["total"], answer["limit"], answer["offset"]) == (True, 3, 2, 0)
    _, answer = await door.call("GET", "/v1/uncertain?limit=2&offset=2")
    (last,) = answer["uncertain"]
    assert (last["external_id"], last["channel"], last["provider"], last["attempt"]) == ("c", "sms", "twilio", 1)
    assert last["reason"] == "no answer came in time"
    assert last["started_at"] < last["parked_at"]
    _, one = await door.call("GET", f"/v1/uncertain/{ids[2]}")
    assert one == {"success": True, "uncertain": last}


async def test_what_was_sent_completes_its_reminder_and_keeps_the_providers_id_b_263(door: Door) -> None:
    (id,) = await park(door, "a")
    status, answer = await resolve(door, id, outcome="sent", provider_message_id="SM1")
    assert status == 200, answer
    resolved = answer["resolved"]
    assert (resolved["status"], resolved["reminder_status"], resolved["next_attempt_at"]) == ("sent", "completed", None)
    _, item = await door.reminder("GET", "a")
    assert item["status"] == "completed"
    assert (await door.events())[-2:] == ["message.sent", "reminder.completed"]
    (row,) = await door.fetch("select provider_message_id, receipt from occurrences")
    assert row == {"provider_message_id": "SM1", "receipt": None}


async def test_what_was_not_sent_is_tried_again_inside_its_grace_and_counts_no_failure_b_056_b_263(door: Door) -> None:
    (id,) = await park(door, "a")
    _, answer = await resolve(door, id, outcome="not_sent")
    resolved = answer["resolved"]
    assert (resolved["status"], resolved["reminder_status"]) == ("scheduled", "active")
    assert resolved["next_attempt_at"] is not None
    (row,) = await door.fetch("select failures, state from occurrences")
    assert row == {"failures": 1, "state": "scheduled"}


async def test_what_was_not_sent_is_skipped_after_its_grace_b_061_b_263(door: Door) -> None:
    (id,) = await park(door, "a", minutes_ago=61)
    _, answer = await resolve(door, id, outcome="not_sent")
    assert (answer["resolved"]["status"], answer["resolved"]["reminder_status"]) == ("skipped", "expired")


async def test_what_nobody_knows_can_be_closed(door: Door) -> None:
    (id,) = await park(door, "a")
    _, answer = await resolve(door, id, outcome="closed")
    assert answer["resolved"]["status"] == "skipped"
    assert "by hand" in answer["resolved"]["reason"]
    _, listed = await door.call("GET", "/v1/uncertain")
    assert (listed["uncertain"], listed["total"]) == ([], 0)
    assert (await door.call("GET", f"/v1/uncertain/{id}"))[0] == 404


async def test_what_is_not_in_doubt_is_not_resolved(door: Door) -> None:
    (id,) = await park(door, "a")
    outcomes = ("sent", "closed", "sent", "not_sent")
    answers = await asyncio.gather(*(resolve(door, id, outcome=outcome) for outcome in outcomes))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    status, answer = await resolve(door, id, outcome="sent")
    assert (status, answer["error"]["code"]) == (409, "NOT_UNCERTAIN")


async def test_the_same_request_again_gets_the_same_answer(door: Door) -> None:
    (id,) = await park(door, "a")
    key = {"Idempotency-Key": "once"}
    path, body = f"/v1/uncertain/{id}/resolve", {"outcome": "sent"}
    first = await door.call("POST", path, body, headers=key)
    assert first[0] == 200
    assert await door.call("POST", path, body, headers=key) == first


async def test_parked_sends_of_others_are_nobodys(door: Door) -> None:
    (id,) = await park(door, "a")
    other = (await door.another_account()).api_key
    _, listed = await door.call("GET", "/v1/uncertain", key=other)
    assert listed["total"] == 0
    for missing in (id, str(uuid4()), "no-uuid"):
        for method, path, body in (
            ("GET", f"/v1/uncertain/{missing}", None),
            ("POST", f"/v1/uncertain/{missing}/resolve", {"outcome": "sent"}),
        ):
            status, answer = await door.call(method, path, body, key=other)
            assert (status, answer["error"]["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert (await door.fetch("select state from occurrences")) == [{"state": "uncertain"}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "delivered"},
        {"outcome": "not_sent", "provider_message_id": "SM1"},
        {"outcome": "sent", "provider_message_id": ""},
        {"outcome": "sent", "provider_message_id": "a\nb"},
        {"outcome": "sent", "provider_message_id": "x" * 256},
        {"outcome": "sent", "provider_mesage_id": "SM1"},
    ],
)
async def test_a_word_that_is_no_word_is_refused_and_changes_nothing(visitor: Door, body: dict[str, Any]) -> None:
    status, answer = await resolve(visitor, str(uuid4()), **body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
