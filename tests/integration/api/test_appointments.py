"""The appointments door: booking."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.api.appointment_tools import TEXTS, Practice, at, code, fields, open_practice
from tests.integration.api.conftest import Door


@pytest.fixture
async def practice(door: Door) -> Practice:
    return await open_practice(door)


async def test_what_was_accepted_is_echoed_with_a_uuid_b_209_b_210_b_211(practice: Practice) -> None:
    """B-216, B-217, B-251."""
    body = practice.body(
        firstName="First", lastName="Last", emailAddress="first.last@example.com", sendEligibleSubscribersOnly=True
    )
    status, answer = await practice.door.call("POST", "/events/reminders", body | {"uuid": "mine", "more": 1})
    assert status == 200
    assert answer == {**body, "uuid": answer["uuid"], "status": "active"}
    assert answer["uuid"] != "mine"
    (contact,) = await practice.door.fetch("select phone, email, first_name, last_name from contacts")
    assert contact == {"phone": "+16175550100", "email": None, "first_name": "First", "last_name": "Last"}
    assert await practice.door.events() == ["contact.created", "reminder.created"]


async def test_the_account_key_comes_as_bearer_or_x_api_key_b_207_b_208(practice: Practice) -> None:
    path, client = "/events/reminders", practice.door.client
    for headers in ({}, {"Authorization": "Bearer 1a2b3c4d5"}, {"Authorization": f"Basic {practice.door.key}"}):
        response = await client.get(path, headers=headers)
        assert (response.status, (await response.json())["code"]) == (401, "UNAUTHORIZED")
    for headers in (practice.door.key, {"Authorization": f"Bearer {practice.door.account.api_key}"}):
        assert (await client.get(path, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("left_out", "field"),
    [
        ({"phone": ...}, "phone"),
        ({"eventType": ...}, "eventType"),
        ({"eventType": {}}, "eventType.uuid"),
        ({"eventDateTime": ...}, "eventDateTime"),
        ({"subscriberTimeZone": None}, "subscriberTimeZone"),
        ({"phone": "12"}, "phone"),
        ({"phone": 1234567890}, "phone"),
        ({"eventDateTime": "tomorrow"}, "eventDateTime"),
        ({"eventDateTime": "0001-01-01T00:00:00Z"}, "eventDateTime"),
        ({"subscriberTimeZone": "New York"}, "subscriberTimeZone"),
        ({"remindTimeOffset": "-PT3H"}, "remindTimeOffset"),
        ({"remindTimeOffset": "PT0S"}, "remindTimeOffset"),
        ({"followUpTimeOffset": "P1M"}, "followUpTimeOffset"),
        ({"sendEligibleSubscribersOnly": "true"}, "sendEligibleSubscribersOnly"),
    ],
)
async def test_what_is_wrong_is_named_b_220_b_224_b_249_b_250(
    practice: Practice, left_out: dict[str, Any], field: str
) -> None:
    """B-215, B-217, B-222."""
    answer = await practice.book(**left_out)
    assert answer[0] == 400
    assert fields(answer) == {field}
    assert await practice.door.fetch("select id from contacts") == []


async def test_all_that_is_wrong_is_named_at_once(practice: Practice) -> None:
    """B-249, B-034."""
    answer = await practice.book(phone="x", eventType=..., remindTimeOffset="3h", eventDateTime=1, metadata=[1])
    assert code(answer) == (400, "VALIDATION_ERROR")
    assert fields(answer) == {"phone", "eventType", "remindTimeOffset", "eventDateTime", "metadata"}


@pytest.mark.parametrize("uuid", ["6c52d314-a3ca-4781-ba70-XXXXXXXXXXXX", "01a1fe90-8df3-7321-a7b3-041071b770a8", "x"])
async def test_an_unknown_type_is_a_bad_request_b_218(practice: Practice, uuid: str) -> None:
    assert code(await practice.book(eventType={"uuid": uuid})) == (400, "UNKNOWN_EVENT_TYPE")
    assert await practice.door.fetch("select id from contacts") == []


async def test_another_accounts_type_is_unknown(practice: Practice) -> None:
    """B-218."""
    other = await practice.door.another_account()
    answer = await practice.door.call("POST", "/events/reminders", practice.body(), key=other.api_key)
    assert code(answer) == (400, "UNKNOWN_EVENT_TYPE")


async def test_the_reminder_comes_three_hours_before_unless_said_b_219_b_221_b_225(practice: Practice) -> None:
    """B-222: without an offset in the time, the zone reads it."""
    uuid = await practice.booked(eventDateTime="2031-01-06T16:50:00", remindTimeOffset=...)
    event = datetime.fromisoformat("2031-01-06T16:50:00-05:00")
    assert await practice.waiting(uuid) == [
        ("main", event - timedelta(hours=3), "See you in New York!"),
        ("follow_up", event + timedelta(hours=2), "How was New York?"),
    ]
    _, answer = await practice.door.call("GET", f"/events/reminders/{uuid}")
    assert answer["remindTimeOffset"] == "PT3H"


async def test_an_offset_in_the_time_wins_over_the_zone_b_223(practice: Practice) -> None:
    uuid = await practice.booked(eventDateTime="2031-01-06T16:50:00+07:00", followUpTimeOffset=...)
    (main,) = await practice.waiting(uuid)
    assert main[1] == datetime.fromisoformat("2031-01-06T15:50:00+07:00")


@pytest.mark.parametrize("phone", ["617-555-0100", "6175550100", "16175550100", "+1 617 555 0100", "001 617-555-0100"])
async def test_phones_may_be_written_in_many_ways_and_are_echoed_as_they_came_b_215(
    practice: Practice, phone: str
) -> None:
    """C-24."""
    status, answer = await practice.book(phone=phone)
    assert (status, answer["phone"]) == (200, phone)
    assert await practice.door.fetch("select address from reminders") == [{"address": "+16175550100"}]


async def test_the_same_again_finds_the_reminder_that_there_is_b_212_b_213(practice: Practice) -> None:
    """However it is written: a phone with dashes or without, an hour or sixty minutes."""
    uuid = await practice.booked()
    assert await practice.booked() == uuid
    assert await practice.booked(phone="(617) 555-0100", remindTimeOffset="PT60M") == uuid
    await practice.message("REMINDER", "Other words for {eventLocation} and {more}")
    assert await practice.booked() == uuid
    answer = await practice.book(remindTimeOffset="PT2H")
    assert code(answer) == (400, "DUPLICATE_EXTERNAL_EVENT")
    assert answer[1]["details"]["uuid"] == uuid
    assert len(await practice.waiting(uuid)) == 2
    assert await practice.door.events() == ["contact.created", "reminder.created"]


async def test_another_phone_or_another_appointment_is_no_duplicate_b_212(practice: Practice) -> None:
    """Without an id of the caller's every request is an appointment of its own."""
    one = await practice.booked()
    made = {one, await practice.booked(phone="617-555-0101"), await practice.booked(externalEventId="9")}
    made |= {await practice.booked(externalEventId=...) for _ in range(2)}
    assert len(made) == 5


async def test_a_hundred_at_once_make_one_reminder_b_213(practice: Practice) -> None:
    answers = await asyncio.gather(*(practice.book() for _ in range(100)))
    assert {status for status, _ in answers} <= {200, 503}
    assert len({answer["uuid"] for status, answer in answers if status == 200}) == 1
    assert len(await practice.door.fetch("select id from reminders")) == 1
    assert len(await practice.door.fetch("select id from contacts")) == 1
    await practice.door.events()


async def test_after_a_cancel_the_same_id_is_a_new_appointment_b_214(practice: Practice) -> None:
    first = await practice.booked()
    await practice.cancel(first)
    second = await practice.booked(remindTimeOffset="PT2H")
    assert second != first
    assert [kind for kind, *_ in await practice.waiting(second)] == ["main", "follow_up"]


async def test_whoever_opted_out_is_refused_where_only_the_eligible_are_wanted_b_228_b_230_b_231(
    practice: Practice,
) -> None:
    await _opt_out(practice)
    answer = await practice.book(sendEligibleSubscribersOnly=True)
    assert code(answer) == (400, "SUBSCRIBER_NOT_ELIGIBLE")
    assert answer[1]["details"]["reason"] == "opted_out"
    assert await practice.door.fetch("select id from reminders") == []
    assert await practice.door.fetch("select id from contacts") == []


@pytest.mark.parametrize("flag", [False, ...])
async def test_else_the_reminder_is_made_whoever_it_is_for_b_229(practice: Practice, flag: Any) -> None:
    await _opt_out(practice)
    assert (await practice.book(sendEligibleSubscribersOnly=flag))[0] == 200


async def _opt_out(practice: Practice) -> None:
    await practice.door.execute(
        "insert into suppressions (account_id, address, source, created_at) "
        "select id, '+16175550100', 'test', now() from accounts"
    )


@pytest.mark.parametrize(
    "metadata",
    [{"eventLocation": "Rome", "n": 1.5, "vip": True, "none": None}, '{"eventLocation": "Rome", "n": 2}'],
)
async def test_metadata_is_an_object_of_scalars_or_a_text_of_one_b_232(practice: Practice, metadata: Any) -> None:
    status, answer = await practice.book(metadata=metadata)
    assert (status, answer["metadata"]["eventLocation"]) == (200, "Rome")
    waiting = await practice.waiting(answer["uuid"])
    assert [text for *_, text in waiting] == ["See you in Rome!", "How was Rome?"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"eventLocation": -2.5e185},
        {"eventLocation": ["Rome"]},
        {"eventLocation": {}},
        "Rome",
        "[1]",
        '{"eventLocation": NaN}',
        '{"eventLocation": "a", "eventLocation": "b"}',
        '{"eventLocation": "a\\u0000"}',
        {"eventLocation": "x" * 1_001},
        {"eventLocation": 10**30},
        {f"name{n}": n for n in range(101)},
        {"x" * 101: 1},
        1,
    ],
    ids=str,
)
async def test_other_metadata_is_refused_b_232(practice: Practice, metadata: Any) -> None:
    answer = await practice.book(metadata=metadata)
    assert answer[0] == 400, answer
    assert {field.partition(".")[0] for field in fields(answer)} == {"metadata"}


async def test_a_value_that_is_no_scalar_is_one_problem_b_232(practice: Practice) -> None:
    _, refused = await practice.book(metadata={"eventLocation": "Rome", "doctor": {"name": "Sari"}, "tags": ["a"]})
    found = {problem["field"]: problem["reason"] for problem in refused["details"]["problems"]}
    why = "must be a text, a number, true, false or null"
    assert found == {"metadata.doctor": why, "metadata.tags": why}


@pytest.mark.parametrize("metadata", [..., {}, {"eventLocation": None}])
async def test_a_macro_without_a_value_is_refused(practice: Practice, metadata: Any) -> None:
    """C-22."""
    answer = await practice.book(metadata=metadata)
    assert code(answer) == (400, "MISSING_MACRO_VALUE")
    assert fields(answer) == {"metadata.eventLocation"}
    assert len(answer[1]["details"]["problems"]) == len(TEXTS)


@pytest.mark.parametrize(("registered", "missing"), [("NO_SHOW", "REMINDER"), ("REMINDER", "FOLLOW_UP")])
async def test_the_messages_come_before_the_reminders_b_252(door: Door, registered: str, missing: str) -> None:
    practice = await open_practice(door, **{registered: "Hello"})
    answer = await practice.book()
    assert code(answer) == (400, "MISSING_MESSAGE")
    assert missing in answer[1]["message"]


async def test_without_a_follow_up_no_such_message_is_needed(door: Door) -> None:
    """B-225, B-252."""
    practice = await open_practice(door, REMINDER="Hello")
    uuid = await practice.booked(followUpTimeOffset=..., metadata=...)
    assert [(kind, text) for kind, _, text in await practice.waiting(uuid)] == [("main", "Hello")]


async def test_a_late_booking_skips_the_reminder_and_keeps_the_follow_up_b_233(practice: Practice) -> None:
    uuid = await practice.booked(eventDateTime=at(minutes=30))
    assert await practice.sends(uuid) == [("main", "skipped"), ("follow_up", "scheduled")]


async def test_or_it_is_sent_at_once_where_the_configuration_says_so_b_233(practice: Practice) -> None:
    body = {"agentId": "default", "configurationId": "default", "lateBooking": "send_now"}
    status, answer = await practice.door.call("PUT", "/api/reminder/configuration", body)
    assert status == 200, answer
    uuid = await practice.booked(eventDateTime=at(minutes=30))
    assert await practice.sends(uuid) == [("main", "scheduled"), ("follow_up", "scheduled")]
    await practice.change(uuid, firstName="Ada")
    assert await practice.sends(uuid) == [("main", "scheduled"), ("follow_up", "scheduled")]


async def test_an_appointment_in_the_past_is_accepted_and_nothing_is_sent_b_234(practice: Practice) -> None:
    await practice.message("CONFIRMATION", "Booked.")
    status, answer = await practice.book(eventDateTime="2021-01-06T16:50:00")
    assert (status, answer["status"]) == (200, "expired")
    assert await practice.door.fetch("select id from occurrences where state = 'scheduled'") == []


async def test_a_confirmation_goes_out_once_where_one_is_registered(practice: Practice) -> None:
    """C-23."""
    await practice.message("CONFIRMATION", "Booked: {eventLocation}.")
    uuid = await practice.booked()
    await practice.booked()
    rows = await practice.door.fetch("select id, text, address from reminders where id <> $1", UUID(uuid))
    assert [(row["text"], row["address"]) for row in rows] == [("Booked: New York.", "+16175550100")]
    _, listed = await practice.door.call("GET", "/events/reminders")
    assert [one["uuid"] for one in listed["reminders"]] == [uuid]
    assert code(await practice.door.call("GET", f"/events/reminders/{rows[0]['id']}"))[0] == 404
    assert code(await practice.cancel(str(rows[0]["id"])))[0] == 404
