"""The appointments door: changing, cancelling, missing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.api.appointment_tools import Practice, at, code, fields, open_practice
from tests.integration.api.conftest import Door

HOUR = timedelta(hours=1)


@pytest.fixture
async def practice(door: Door) -> Practice:
    return await open_practice(door)


async def test_a_change_gives_some_fields_and_answers_them_all_b_235_b_236_b_237(practice: Practice) -> None:
    uuid = await practice.booked(sendEligibleSubscribersOnly=True, emailAddress="me", firstName="Ada")
    event = at(days=3)
    status, answer = await practice.change(
        uuid, remindTimeOffset="PT2H", eventDateTime=event, sendEligibleSubscribersOnly=False, uuid="other"
    )
    kept = practice.body(emailAddress="me", firstName="Ada", remindTimeOffset="PT2H", eventDateTime=event)
    assert (status, answer) == (200, {**kept, "uuid": uuid, "status": "active"})
    for path in (f"/events/reminders/{uuid}", "/events/reminders"):
        _, read = await practice.door.call("GET", path)
        assert read.get("reminders", [read]) == [answer]
    assert await practice.door.events() == ["contact.created", "reminder.created", "reminder.updated"]


@pytest.mark.parametrize(
    ("changed", "main", "follow_up"),
    [
        ({"eventDateTime": "2031-01-07T16:50:00"}, "2031-01-07T15:50:00-05:00", "2031-01-07T18:50:00-05:00"),
        ({"remindTimeOffset": "P1D"}, "2031-01-05T16:50:00-05:00", "2031-01-06T18:50:00-05:00"),
        ({"subscriberTimeZone": "America/Chicago"}, "2031-01-06T15:50:00-06:00", "2031-01-06T18:50:00-06:00"),
        ({"followUpTimeOffset": "PT5H"}, "2031-01-06T15:50:00-05:00", "2031-01-06T21:50:00-05:00"),
        ({"followUpTimeOffset": None}, "2031-01-06T15:50:00-05:00", None),
    ],
)
async def test_new_times_take_the_place_of_the_old_ones_b_238(
    practice: Practice, changed: dict[str, Any], main: str, follow_up: str | None
) -> None:
    uuid = await practice.booked(eventDateTime="2031-01-06T16:50:00")
    assert (await practice.change(uuid, **changed))[0] == 200
    wanted = [("main", datetime.fromisoformat(main))]
    if follow_up is not None:
        wanted.append(("follow_up", datetime.fromisoformat(follow_up)))
    assert [(kind, moment) for kind, moment, _ in await practice.waiting(uuid)] == wanted


async def test_new_values_are_in_the_texts_that_are_still_to_be_sent_b_236(practice: Practice) -> None:
    """B-232."""
    uuid = await practice.booked()
    await practice.change(uuid, metadata={"eventLocation": "Rome"})
    assert [text for *_, text in await practice.waiting(uuid)] == ["See you in Rome!", "How was Rome?"]
    answer = await practice.change(uuid, metadata=None)
    assert code(answer) == (400, "MISSING_MACRO_VALUE")
    assert [text for *_, text in await practice.waiting(uuid)] == ["See you in Rome!", "How was Rome?"]


async def test_the_same_change_again_changes_nothing_b_238(practice: Practice) -> None:
    uuid = await practice.booked()
    before = await practice.waiting(uuid)
    for _ in range(2):
        assert (await practice.change(uuid, phone="6175550100", metadata={"eventLocation": "New York"}))[0] == 200
    assert (await practice.change(uuid))[0] == 200
    assert await practice.waiting(uuid) == before


async def test_a_send_that_is_late_is_not_lost_by_another_change(practice: Practice) -> None:
    """B-238: its time has come, and its message is changed before it goes out."""
    uuid = await practice.booked()
    await practice.travel(uuid, hours=47, minutes=1)
    await practice.change(uuid, metadata={"eventLocation": "Rome"})
    assert [(kind, text) for kind, _, text in await practice.waiting(uuid)] == [
        ("main", "See you in Rome!"),
        ("follow_up", "How was Rome?"),
    ]


async def test_a_reminder_that_was_sent_is_armed_again_when_the_event_moves_later_b_239(practice: Practice) -> None:
    uuid = await practice.booked(followUpTimeOffset=...)
    await practice.sent(uuid)
    status, answer = await practice.change(uuid, firstName="Ada")
    assert (status, answer["status"]) == (200, "completed")
    status, answer = await practice.change(uuid, eventDateTime=at(days=4))
    assert (status, answer["status"]) == (200, "active")
    assert await practice.sends(uuid) == [("main", "sent"), ("main", "scheduled")]
    assert (await practice.door.events())[-2:] == ["reminder.updated", "reminder.reactivated"]


async def test_and_not_when_it_moves_into_the_past_b_239_b_234(practice: Practice) -> None:
    uuid = await practice.booked()
    status, answer = await practice.change(uuid, eventDateTime="2021-01-06T16:50:00")
    assert (status, answer["status"]) == (200, "expired")
    assert await practice.waiting(uuid) == []


async def test_a_cancelled_appointment_is_not_changed_b_240(practice: Practice) -> None:
    uuid = await practice.booked()
    await practice.cancel(uuid)
    assert code(await practice.change(uuid, firstName="Ada")) == (400, "INVALID_STATE")


async def test_another_phone_is_another_contact_b_241(practice: Practice) -> None:
    uuid = await practice.booked()
    status, answer = await practice.change(uuid, phone="+44 20 7946 0000", lastName="Smith")
    assert (status, answer["phone"]) == (200, "+44 20 7946 0000")
    (row,) = await practice.door.fetch(
        "select r.address, c.phone, c.last_name from reminders r join contacts c on c.id = r.contact_id"
    )
    assert row == {"address": "+442079460000", "phone": "+442079460000", "last_name": "Smith"}
    assert len(await practice.waiting(uuid)) == 2


async def test_a_phone_that_another_door_changed_is_shown_b_241(practice: Practice) -> None:
    """B-211: what is echoed is where the messages go."""
    uuid = await practice.booked()
    for phone in ("+16175550100", "+442079460000"):
        contact = {"email": "ada@example.com", "phone": phone}
        status, answer = await practice.door.call("POST", "/v1/contacts", contact)
        assert status in {200, 201}, answer
    _, read = await practice.door.call("GET", f"/events/reminders/{uuid}")
    assert read["phone"] == "+442079460000"


async def test_nobody_has_two_reminders_of_one_appointment_by_a_change_b_241_b_212(practice: Practice) -> None:
    first = await practice.booked()
    second = await practice.booked(phone="617-555-0101")
    third = await practice.booked(externalEventId="other")
    for uuid, change in ((second, {"phone": "617-555-0100"}), (third, {"externalEventId": "12345"})):
        answer = await practice.change(uuid, **change)
        assert code(answer) == (400, "DUPLICATE_EXTERNAL_EVENT")
        assert answer[1]["details"]["uuid"] == first
    answers = await asyncio.gather(*(practice.change(uuid, externalEventId="new") for uuid in (first, third)))
    assert sorted(status for status, _ in answers) == [200, 400]


async def test_what_must_be_there_cannot_be_cleared_b_235(practice: Practice) -> None:
    uuid = await practice.booked()
    required = ("phone", "eventType", "eventDateTime", "subscriberTimeZone", "remindTimeOffset")
    answer = await practice.change(uuid, **dict.fromkeys(required))
    assert answer[0] == 400
    assert fields(answer) == set(required)
    optional = ("externalEventId", "firstName", "lastName", "emailAddress", "followUpTimeOffset")
    status, cleared = await practice.change(uuid, **dict.fromkeys(optional))
    assert status == 200
    assert not set(optional) & set(cleared)


async def test_an_unknown_type_is_a_bad_request_in_a_change_too_b_218(practice: Practice) -> None:
    uuid = await practice.booked()
    assert code(await practice.change(uuid, eventType={"uuid": "other"})) == (400, "UNKNOWN_EVENT_TYPE")


async def test_a_cancel_stops_all_that_waits_and_may_be_repeated_b_242_b_243_b_227(practice: Practice) -> None:
    uuid = await practice.booked()
    first = await practice.cancel(uuid)
    wanted = {**practice.body(), "uuid": uuid, "status": "cancelled", "cancelOutcome": "prevented"}
    assert first == (200, wanted)
    assert await practice.sends(uuid) == [("main", "cancelled"), ("follow_up", "cancelled")]
    assert await practice.cancel(uuid) == first
    assert await practice.door.events() == ["contact.created", "reminder.created", "reminder.cancelled"]


async def test_what_was_sent_can_be_called_off_too_and_booked_anew_b_214(practice: Practice) -> None:
    uuid = await practice.booked(followUpTimeOffset=...)
    await practice.sent(uuid)
    status, answer = await practice.cancel(uuid)
    assert (status, answer["status"], answer["cancelOutcome"]) == (200, "cancelled", "already_sent")
    assert await practice.booked() != uuid


async def test_a_cancellation_is_told_once_where_such_a_message_is_registered(practice: Practice) -> None:
    """C-23."""
    await practice.message("CANCELLATION", "Not in {eventLocation}.")
    uuid = await practice.booked()
    for _ in range(2):
        assert (await practice.cancel(uuid))[0] == 200
    rows = await practice.door.fetch("select text, status from reminders where id <> $1", UUID(uuid))
    assert rows == [{"text": "Not in New York.", "status": "active"}]


async def test_a_cancel_never_fails_for_its_message(practice: Practice) -> None:
    """C-23, B-243: the message was registered later, with a macro that has no value here."""
    uuid = await practice.booked()
    await practice.message("CANCELLATION", "Dear {name}")
    status, answer = await practice.cancel(uuid)
    assert (status, answer["status"]) == (200, "cancelled")
    assert len(await practice.door.fetch("select id from reminders")) == 1


async def test_who_missed_it_is_told_at_once_and_once_and_not_followed_up_b_244_b_245_b_226(
    practice: Practice,
) -> None:
    """B-237."""
    uuid = await practice.booked(sendEligibleSubscribersOnly=True)
    await practice.sent(uuid)
    await practice.travel(uuid, hours=49)
    answers = [await practice.no_show(uuid) for _ in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][1]["status"]) == (200, "active")
    assert "sendEligibleSubscribersOnly" not in answers[0][1]
    assert await practice.sends(uuid) == [("main", "sent"), ("no_show", "scheduled")]
    ((kind, moment, text),) = await practice.waiting(uuid)
    assert (kind, text) == ("no_show", "We missed you in New York.")
    assert abs(moment - datetime.now(moment.tzinfo)) < timedelta(minutes=1)
    assert (await practice.door.events()).count("reminder.updated") == 1


async def test_a_no_show_after_all_was_sent_opens_the_reminder_again_b_244(practice: Practice) -> None:
    uuid = await practice.booked()
    await practice.sent(uuid)
    await practice.sent(uuid, "follow_up")
    await practice.travel(uuid, hours=49)
    assert (await practice.no_show(uuid))[1]["status"] == "active"
    assert (await practice.sends(uuid))[-1] == ("no_show", "scheduled")


async def test_a_change_after_a_no_show_brings_no_follow_up_back_b_226(practice: Practice) -> None:
    """B-239: unless the event moves past it; then the appointment is a coming one again."""
    uuid = await practice.booked()
    await practice.travel(uuid, hours=48, minutes=1)
    await practice.no_show(uuid)
    await practice.change(uuid, metadata={"eventLocation": "Rome"}, followUpTimeOffset="PT9H")
    assert [(kind, text) for kind, _, text in await practice.waiting(uuid)] == [("no_show", "We missed you in Rome.")]
    await practice.change(uuid, eventDateTime=at(days=9))
    assert [kind for kind, *_ in await practice.waiting(uuid)] == ["main", "follow_up"]
    assert code(await practice.no_show(uuid)) == (400, "EVENT_NOT_STARTED")
    await practice.travel(uuid, days=9, hours=1)
    await practice.no_show(uuid)
    assert [kind for kind, *_ in await practice.waiting(uuid)] == ["no_show"]


async def test_nobody_missed_what_was_cancelled_or_is_still_to_come_b_246(practice: Practice) -> None:
    uuid = await practice.booked()
    assert code(await practice.no_show(uuid)) == (400, "EVENT_NOT_STARTED")
    await practice.cancel(uuid)
    assert code(await practice.no_show(uuid)) == (400, "INVALID_STATE")


async def test_a_no_show_needs_its_message_b_244_b_252(door: Door) -> None:
    practice = await open_practice(door, REMINDER="Hello")
    uuid = await practice.booked(followUpTimeOffset=..., eventDateTime="2021-01-06T16:50:00")
    answer = await practice.no_show(uuid)
    assert code(answer) == (400, "MISSING_MESSAGE")
    assert fields(answer) == {"eventType.uuid"}
    await practice.message("NO_SHOW", "We missed you.")
    assert (await practice.no_show(uuid))[0] == 200


async def test_two_no_shows_at_once_are_one_message_b_245(practice: Practice) -> None:
    uuid = await practice.booked(eventDateTime="2021-01-06T16:50:00")
    answers = await asyncio.gather(*(practice.no_show(uuid) for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert [kind for kind, *_ in await practice.waiting(uuid)] == ["no_show"]
