"""The appointments door under odd bodies and under many callers at once: clear refusals, and never a 500."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.integration.api.appointment_tools import Practice, open_practice
from tests.integration.api.conftest import Door

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1e300,
    "",
    " ",
    "\u0000",
    "\u202e",
    "x" * 3_000,
    "9" * 400,
    "+",
    "P" + "9" * 30 + "D",
    "9999-12-31T23:59:59",
    "0001-01-01T00:00:00+14:00",
    "2024-02-30T00:00:00",
    [],
    [[]],
    {},
    {"uuid": None},
    {"uuid": {"uuid": "x"}},
    {"": ""},
    {"a\u0000": 1},
    '{"a": 1e999}',
    '{"a": "\\ud800"}',
    "[" * 500,
]
FIELDS = [
    "externalEventId",
    "phone",
    "firstName",
    "lastName",
    "emailAddress",
    "eventType",
    "remindTimeOffset",
    "followUpTimeOffset",
    "eventDateTime",
    "subscriberTimeZone",
    "sendEligibleSubscribersOnly",
    "metadata",
]


@pytest.fixture
async def practice(door: Door) -> Practice:
    return await open_practice(door)


@pytest.mark.parametrize("field", FIELDS)
async def test_no_value_breaks_a_booking_or_a_change(practice: Practice, field: str) -> None:
    """B-249, B-250: 200 or 400, whatever stands in a field; what was refused left nothing."""
    uuid = await practice.booked(externalEventId="kept")
    for value in ODD:
        for status, answer in (
            await practice.book(**{field: value}),
            await practice.change(uuid, **{field: value}),
            await practice.door.call("GET", f"/events/reminders/{uuid}"),
        ):
            assert status in {200, 400}, (field, value, answer)
            assert status == 200 or answer["message"], answer


@pytest.mark.parametrize("field", ["type", "eventType", "messageType", "text"])
async def test_no_value_breaks_a_type_or_a_message(practice: Practice, field: str) -> None:
    """C-20, C-21."""
    message = {"eventType": {"uuid": practice.type}, "messageType": "REMINDER", "text": "Hello"}
    for value in ODD:
        path, body = ("types", {"type": value}) if field == "type" else ("types/messages", message | {field: value})
        status, answer = await practice.door.call("POST", f"/events/{path}", body)
        assert status in {200, 400}, (field, value, answer)


async def test_many_callers_at_once_leave_one_truth(practice: Practice) -> None:
    """B-213, B-238, B-243, B-245: bookings, changes, cancels and no-shows of the same few appointments."""
    chance = random.Random(7)
    past = practice.body(eventDateTime="2021-01-06T16:50:00")["eventDateTime"]
    known = [await practice.booked(externalEventId=str(n), eventDateTime=past) for n in range(3)]

    async def once() -> tuple[int, Any]:
        uuid, phone = chance.choice(known), chance.choice(["617-555-0100", "617-555-0101"])
        match chance.randrange(5):
            case 0:
                return await practice.book(externalEventId=chance.choice("012"), phone=phone, eventDateTime=past)
            case 1:
                return await practice.change(uuid, phone=phone, firstName=chance.choice(["Ada", "Bea"]))
            case 2:
                return await practice.change(uuid, eventDateTime=chance.choice([past, practice.event]))
            case 3:
                return await practice.no_show(uuid)
            case _:
                return await practice.cancel(uuid) if chance.random() < 0.1 else await practice.no_show(uuid)

    answers = [one for _ in range(6) for one in await asyncio.gather(*(once() for _ in range(25)))]
    assert {status for status, _ in answers} <= {200, 400, 503}
    live = "select contact_id, external_id from reminders where status <> 'cancelled' and external_id is not null"
    rows = [tuple(row.values()) for row in await practice.door.fetch(live)]
    assert len(rows) == len(set(rows))
    broken = """select r.id from reminders r where (r.status = 'active') <> exists (
                    select from occurrences o where o.reminder_id = r.id and o.state = 'scheduled')"""
    assert await practice.door.fetch(broken) == []
    await practice.door.events()
