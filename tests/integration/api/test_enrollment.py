"""Enrolment at `/v1/campaigns-enroll`, and what it plans."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from integration.api.campaign_tools import PHONE, a_campaign, a_one_off, campaign, change, contact, due, enroll, planned
from integration.api.conftest import Door


async def test_b_132_a_contact_is_enrolled_and_told_of(door: Door) -> None:
    """B-130, B-137."""
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    answer = await enroll(door, id, john.id)
    assert answer == {"enrollment_id": answer["enrollment_id"], "status": "enrolled"}
    assert set(await door.events()) == {"campaign.created", "contact.created", "campaign.enrolled", "reminder.created"}
    (event,) = await door.fetch("select subject, data from outbox where type = 'campaign.enrolled'")
    assert str(event["subject"]) == id
    assert event["data"] == {
        "campaign_id": id,
        "contact_id": str(john.id),
        "enrollment_id": answer["enrollment_id"],
    }


async def test_b_134_a_second_enrolment_finds_the_first_and_tells_nobody(door: Door) -> None:
    """B-136, B-137: whatever became of the campaign meanwhile."""
    id, john = await campaign(door, a_one_off()), await contact(door)
    first = await enroll(door, id, john.id)
    again = {"enrollment_id": first["enrollment_id"], "status": "already_enrolled"}
    assert await enroll(door, id, john.id) == again
    await door.call("POST", f"/v1/campaigns/{id}/pause")
    assert await enroll(door, id, john.id) == again
    assert (await door.events()).count("campaign.enrolled") == 1
    assert len(await planned(door)) == 1


async def test_b_131_contact_id_wins_over_its_older_name(door: Door) -> None:
    id, john = await campaign(door), await contact(door)
    jane = await contact(door, phone="+447912345679")
    attempts: list[tuple[dict[str, Any], str]] = [
        ({"contact_id": str(john.id), "customer_id": str(uuid4())}, "enrolled"),
        ({"customer_id": str(john.id)}, "already_enrolled"),
        ({"contact_id": None, "customer_id": str(jane.id)}, "enrolled"),
    ]
    for ids, wanted in attempts:
        status, answer = await door.call("POST", "/v1/campaigns-enroll", {"campaign_id": id, **ids})
        assert (status, answer["status"]) == (200, wanted)


@pytest.mark.parametrize(
    ("given", "changes", "reason"),
    [
        ({"phone": None, "email": "john@example.com"}, {}, "missing_phone_number"),
        ({"phone": None, "email": "john@example.com"}, {"channel": "whatsapp"}, "missing_phone_number"),
        ({}, {"channel": "email"}, "missing_email"),
        ({}, {"status": "draft"}, "campaign_not_running"),
    ],
)
async def test_b_132_who_cannot_be_written_to_is_skipped(
    door: Door, given: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    """B-134: without an enrolment, with a reason; nothing is told."""
    id, john = await campaign(door, a_campaign(**changes)), await contact(door, **given)
    assert await enroll(door, id, john.id) == {"enrollment_id": None, "status": "skipped", "reason": reason}
    assert not await door.fetch("select from enrollments")
    assert await door.events() == ["campaign.created", "contact.created"]


async def test_b_132_a_paused_campaign_takes_nobody_in(door: Door) -> None:
    id, john = await campaign(door), await contact(door)
    await door.call("POST", f"/v1/campaigns/{id}/pause")
    assert (await enroll(door, id, john.id))["reason"] == "campaign_not_running"
    await door.call("POST", f"/v1/campaigns/{id}/resume")
    assert (await enroll(door, id, john.id))["status"] == "enrolled"


async def test_b_133_without_an_identifier_nobody_is_enrolled(visitor: Door) -> None:
    id = await campaign(visitor)
    bodies: list[dict[str, Any]] = [
        {"campaign_id": id},
        {"campaign_id": id, "contact_id": None, "customer_id": None},
        {},
    ]
    for body in bodies:
        status, answer = await visitor.call("POST", "/v1/campaigns-enroll", body)
        assert (status, answer["error"]["code"]) == (400, "MISSING_IDENTIFIER")
    assert [one["field"] for one in answer["error"]["details"]["problems"]] == ["campaign_id", "contact_id"]


async def test_b_133_unknown_ids_and_those_of_others_are_not_found(visitor: Door) -> None:
    id, john = await campaign(visitor), await contact(visitor)
    other = await visitor.another_account()
    for campaign_id, contact_id, key, code in [
        (str(uuid4()), str(john.id), None, "CAMPAIGN_NOT_FOUND"),
        ("42", str(john.id), None, "CAMPAIGN_NOT_FOUND"),
        (id, str(uuid4()), None, "CONTACT_NOT_FOUND"),
        (id, "42", None, "CONTACT_NOT_FOUND"),
        (id, str(john.id), other.api_key, "CONTACT_NOT_FOUND"),
    ]:
        body = {"campaign_id": campaign_id, "contact_id": contact_id}
        status, answer = await visitor.call("POST", "/v1/campaigns-enroll", body, key=key)
        assert (status, answer["error"]["code"]) == (404, code)
    assert not await visitor.fetch("select from enrollments where contact_id = $1", john.id)


async def test_b_136_a_hundred_enrolments_at_once_are_one(door: Door) -> None:
    id, john = await campaign(door, a_one_off()), await contact(door)
    answers = await asyncio.gather(*(enroll(door, id, john.id) for _ in range(100)))
    assert len({answer["enrollment_id"] for answer in answers}) == 1
    assert sorted(answer["status"] for answer in answers) == ["already_enrolled"] * 99 + ["enrolled"]
    assert len(await planned(door)) == 1
    assert (await door.events()).count("campaign.enrolled") == 1


async def test_many_contacts_enrol_at_once_without_a_gap_in_the_events(door: Door) -> None:
    id = await campaign(door)
    people = [await contact(door, phone=f"+4479123456{n:02}", next_due=due("2030-07-15")) for n in range(20)]
    answers = await asyncio.gather(*(enroll(door, id, one.id) for one in people))
    assert {answer["status"] for answer in answers} == {"enrolled"}
    assert (await door.events()).count("campaign.enrolled") == 20


async def test_b_135_a_recurring_campaign_plans_what_lies_ahead_of_the_due_date(door: Door) -> None:
    """At the account's hour where the contact is; nothing for what has passed."""
    await door.execute("update accounts set time_zone = 'Europe/London', reminder_hour = 10")
    soon = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    id = await campaign(door)
    john = await contact(door, next_due=due("2030-07-15"), time_zone="Asia/Jakarta")
    await enroll(door, id, john.id)
    jane = await contact(door, phone="+447912345679", first_name="Jane", next_due=due(soon))
    await enroll(door, id, jane.id)
    first, second, third = await planned(door)
    assert first == ("2030-07-08T03:00", "scheduled", "Hi John, see you on 2030-07-15.")
    assert second == ("2030-07-14T03:00", "scheduled", "Hi John, see you on 2030-07-15.")
    assert third[2] == f"Hi Jane, see you on {soon}."
    (kept,) = await door.fetch("select * from reminders where contact_id = $1", john.id)
    assert (kept["door"], kept["category"], kept["time_zone"]) == ("campaigns", "marketing", "Asia/Jakarta")
    assert (kept["address"], kept["status"]) == (PHONE, "active")


async def test_b_135_nothing_is_planned_before_something_is_due(door: Door) -> None:
    id, john = await campaign(door), await contact(door)
    await enroll(door, id, john.id)
    assert not await door.fetch("select from reminders")
    await change(door, john.id, next_due=due("2030-07-15"))
    assert [at for at, _, _ in await planned(door)] == ["2030-07-08T09:00", "2030-07-14T09:00"]


async def test_b_135_a_one_off_campaign_queues_at_once(door: Door) -> None:
    id, john = await campaign(door, a_one_off()), await contact(door)
    await enroll(door, id, john.id)
    (due_now,) = await door.fetch("select due_at <= clock_timestamp() as due, text from occurrences")
    assert due_now == {"due": True, "text": "Hi John"}


async def test_a_due_date_that_moves_moves_the_planned_sends(door: Door) -> None:
    """B-107: what was sent is not planned again, and a reminder that had ended goes on."""
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    await change(door, john.id, next_due=due("2030-08-15"))
    states = [(at, state) for at, state, _ in await planned(door) if state == "scheduled"]
    assert states == [("2030-08-08T09:00", "scheduled"), ("2030-08-14T09:00", "scheduled")]
    await door.execute("update occurrences set state = 'sent', ended_at = now() where state = 'scheduled'")
    await door.execute("update reminders set status = 'completed', ended_at = now()")
    await change(door, john.id, first_name="Johnny")
    assert [state for _, state, _ in await planned(door)].count("scheduled") == 0
    await change(door, john.id, next_due=due("2031-08-15"))
    assert [at for at, state, _ in await planned(door) if state == "scheduled"] == [
        "2031-08-08T09:00",
        "2031-08-14T09:00",
    ]
    assert [row["status"] for row in await door.fetch("select status from reminders")] == ["active"]
    assert "reminder.reactivated" in await door.events()


async def test_a_due_date_that_is_cleared_ends_what_was_planned(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    await change(door, john.id, next_due=None)
    assert {state for _, state, _ in await planned(door)} == {"cancelled"}
    await change(door, john.id, next_due=due("2030-07-15"))
    assert [state for _, state, _ in await planned(door)].count("scheduled") == 2


async def test_a_new_name_and_a_new_number_reach_the_planned_sends(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    await change(door, john.id, first_name="Johnny", phone="+447912345670")
    assert {text for _, _, text in await planned(door)} == {"Hi Johnny, see you on 2030-07-15."}
    assert [row["address"] for row in await door.fetch("select address from reminders")] == ["+447912345670"]


async def test_who_loses_the_phone_is_sent_nothing(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"), email="john@example.com")
    await enroll(door, id, john.id)
    await change(door, john.id, phone=None)
    assert {state for _, state, _ in await planned(door)} == {"cancelled"}
