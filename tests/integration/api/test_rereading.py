"""B-270: when the rules of time zones change, planned sends follow the wall clock; what was sent is never sent again.

The rules at hand stand for the new ones: a test makes up older ones, as instants that are off and an older version.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from builders import a_reminder
from integration.api.conftest import Door

from services.api.rereading import BATCH, EVERY, PATIENCE, Rereading
from shared.domain.schedule import tzdata_version
from shared.store import rereadings

OLDER = "2020.1"
TIMES = ["2030-07-01T09:00:00", "2030-07-02T09:00:00+02:00", "2030-07-03T09:00:00"]


async def remind(door: Door, reminder_id: str = "r-1", times: list[str] | None = None) -> None:
    body = a_reminder(timezone="Europe/Berlin", sendTimes=times or TIMES)
    status, answer = await door.reminder("POST", reminder_id, body)
    assert status == 201, answer


async def make_old(door: Door, *, hours: float = 1, offsets_too: bool = False) -> None:
    """As if all had been planned while Berlin's clocks were an hour apart from where they are now."""
    await door.execute("update reminders set tzdata_version = $1", OLDER)
    await door.execute(
        """update occurrences set scheduled_for = scheduled_for + $1, due_at = due_at + $1
           where $2 or scheduled_for <> '2030-07-02T07:00:00Z'""",
        timedelta(hours=hours),
        offsets_too,
    )


async def planned(door: Door) -> list[str]:
    rows = await door.fetch(
        "select scheduled_for, due_at from occurrences where state = 'scheduled' order by reminder_id, seq"
    )
    assert all(row["scheduled_for"] == row["due_at"] for row in rows)
    return [row["scheduled_for"].isoformat() for row in rows]


async def row(door: Door) -> dict[str, Any]:
    return (await door.fetch("select * from reminders"))[0]


RIGHT = ["2030-07-01T07:00:00+00:00", "2030-07-02T07:00:00+00:00", "2030-07-03T07:00:00+00:00"]


async def test_b_270_sends_follow_the_wall_clock_and_their_reminder_says_why(door: Door) -> None:
    await remind(door)
    await make_old(door)
    before = await row(door)
    rereading = Rereading(door.runtime)
    assert await rereading.tick() == 0
    assert await planned(door) == RIGHT
    after = await row(door)
    assert after["tzdata_version"] == tzdata_version()
    assert (after["schedule"], after["updated_at"]) == (before["schedule"], before["updated_at"])
    entry = (await door.fetch("select action, detail from history order by id desc limit 1"))[0]
    assert entry["action"] == "Updated"
    assert entry["detail"] == (
        f"The rules of Europe/Berlin changed (tzdata {OLDER} to {tzdata_version()}): 2 send times moved"
    )
    assert await door.events() == ["reminder.created", "reminder.updated"]
    told = await door.fetch("select data from outbox where type = 'reminder.updated'")
    assert told[0]["data"]["next_send_at"].startswith("2030-07-01T07:00:00")
    assert await rereading.tick() == EVERY


async def test_b_270_times_with_offsets_never_move(door: Door) -> None:
    await remind(door, times=["2030-07-01T09:00:00+02:00", "2030-07-02T09:00:00Z"])
    await door.execute("update reminders set tzdata_version = $1", OLDER)
    before = await door.fetch("select * from occurrences order by id")
    await Rereading(door.runtime).tick()
    assert await door.fetch("select * from occurrences order by id") == before
    assert (await row(door))["tzdata_version"] == tzdata_version()
    assert await door.events() == ["reminder.created"]


@pytest.mark.parametrize("state", ["sent", "sending", "queued", "uncertain"])
async def test_b_270_what_was_sent_or_is_under_way_stays_and_is_not_planned_again(door: Door, state: str) -> None:
    await remind(door)
    await make_old(door)
    ended = state in {"sent", "uncertain"}
    await door.execute(
        """update occurrences set state = $1, attempt = 1, attempt_id = $2, ended_at = case when $3 then now() end,
               lease_until = case when not $3 then now() + interval '1 minute' end where seq = 1""",
        state,
        uuid4(),
        ended,
    )
    (before,) = await door.fetch("select * from occurrences where seq = 1")
    await Rereading(door.runtime).tick()
    assert await door.fetch("select * from occurrences where seq = 1") == [before]
    assert await planned(door) == RIGHT[1:]


async def test_b_270_a_send_that_waits_for_another_try_keeps_its_time_and_goes_first(door: Door) -> None:
    await remind(door)
    await make_old(door, hours=-1)
    await door.execute("update occurrences set attempt = 1 where seq = 1")
    await Rereading(door.runtime).tick()
    assert await planned(door) == ["2030-07-01T06:00:00+00:00", *RIGHT[1:]]


async def test_b_270_a_recurring_send_moves_and_is_planned_by_todays_rules_from_then_on(door: Door) -> None:
    await remind(door, times=["2030-07-01T09:00:00"])
    daily = {"kind": "every", "anchor": "2026-01-01", "unit": "day", "number": 1, "at": "09:00", "feb29": "feb28"}
    await door.execute("update reminders set recurs = true, schedule = $1", daily)
    await make_old(door)
    await Rereading(door.runtime).tick()
    assert await planned(door) == RIGHT[:1]


async def test_b_270_a_process_with_older_rules_reads_nothing_back(door: Door) -> None:
    await remind(door)
    assert await Rereading(door.runtime, version=OLDER).tick() == EVERY
    assert (await row(door))["tzdata_version"] == tzdata_version()


async def test_b_270_utc_has_no_rules_that_change(door: Door) -> None:
    status, _ = await door.reminder("POST", "utc", a_reminder(timezone="UTC", sendTimes=TIMES))
    assert status == 201
    await door.execute("update reminders set tzdata_version = $1", OLDER)
    assert await Rereading(door.runtime).tick() == EVERY


async def test_b_270_what_a_caller_changes_beside_the_times_does_not_hide_that_they_are_old(door: Door) -> None:
    await remind(door)
    await make_old(door)
    status, _ = await door.call("PUT", "/api/reminder/item/update", {"id": "r-1", "recipientName": "Ana"})
    assert status == 200
    await Rereading(door.runtime).tick()
    assert await planned(door) == RIGHT


async def test_b_270_a_schedule_that_cannot_be_read_keeps_its_sends_and_holds_nobody_up(door: Door) -> None:
    await remind(door, "broken")
    await door.execute("update reminders set schedule = '{}'")
    await remind(door)
    await make_old(door)
    await Rereading(door.runtime).tick()
    assert len(await planned(door)) == 6
    assert await Rereading(door.runtime).tick() == EVERY


async def test_b_270_many_processes_read_each_reminder_once(door: Door) -> None:
    for number in range(2 * BATCH + 5):
        await remind(door, f"r-{number}")
    await make_old(door)

    async def read() -> None:
        rereading = Rereading(door.runtime)
        while await rereading.tick() == 0:
            pass

    await asyncio.gather(*(read() for _ in range(4)))
    await read()  # what others held at the last look
    assert await planned(door) == RIGHT * (2 * BATCH + 5)
    events = await door.events()
    assert events.count("reminder.updated") == 2 * BATCH + 5


async def enroll(door: Door, type: str, reminder_id: str) -> UUID:
    """As if the reminder were a contact's in a campaign."""
    contact, campaign, enrollment = uuid4(), uuid4(), uuid4()
    account = door.account.account_id
    await door.execute(
        "insert into contacts (id, account_id, created_at, updated_at) values ($1, $2, now(), now())", contact, account
    )
    await door.execute(
        """insert into campaigns (id, account_id, name, type, status, body, created_at, updated_at)
           values ($1, $2, 'Checks', $3, 'running', 'Hello', now(), now())""",
        campaign,
        account,
        type,
    )
    await door.execute(
        "insert into enrollments (id, account_id, campaign_id, contact_id, created_at) values ($1, $2, $3, $4, now())",
        enrollment,
        account,
        campaign,
        contact,
    )
    await door.execute(
        "update reminders set enrollment_id = $1, tzdata_version = $2 where external_id = $3",
        enrollment,
        OLDER,
        reminder_id,
    )
    return enrollment


@pytest.mark.parametrize(("type", "stale"), [("recurring", True), ("one_off", False)])
async def test_b_270_of_a_recurring_campaign_the_enrolment_is_planned_anew(door: Door, type: str, stale: bool) -> None:
    await remind(door)
    await enroll(door, type, "r-1")
    rereading = Rereading(door.runtime)
    assert await rereading.tick() == 0
    assert (await door.fetch("select stale from enrollments"))[0]["stale"] is stale
    assert (await row(door))["tzdata_version"] == tzdata_version()
    assert await rereading.tick() == EVERY


async def test_b_270_an_enrolment_that_somebody_plans_just_now_is_left_for_later(door: Door) -> None:
    """Nobody waits for anybody: who plans holds the enrolment and then wants the reminder."""
    await remind(door)
    enrollment = await enroll(door, "recurring", "r-1")
    rereading = Rereading(door.runtime)
    async with door.runtime.db.transaction() as tx:
        await tx.execute("select from enrollments where id = $1 for update", enrollment)
        assert await rereading.tick() == PATIENCE
    assert (await row(door))["tzdata_version"] == OLDER
    assert await rereading.tick() == 0
    assert (await row(door))["tzdata_version"] == tzdata_version()


async def test_b_270_no_more_enrolments_wait_than_are_planned_anew_at_once(door: Door) -> None:
    await remind(door, "r-1")
    await remind(door, "r-2")
    other = await enroll(door, "recurring", "r-1")
    await enroll(door, "recurring", "r-2")
    await door.execute("update enrollments set stale = true where id = $1", other)
    async with door.runtime.db.transaction() as tx:
        assert await rereadings.mark_stale(tx, [other], most=1) == set()
        assert await rereadings.mark_stale(tx, [other], most=2) == {other}


async def test_b_270_the_look_for_old_rules_reads_an_index_alone(door: Door) -> None:
    await remind(door)
    async with door.runtime.db.transaction() as tx:
        await tx.execute("set local enable_seqscan = off")
        plan = "\n".join(line["QUERY PLAN"] for line in await tx.fetch(f"explain {rereadings._VERSIONS}"))  # noqa: SLF001
    assert "reminders_by_rules" in plan
    assert "Seq Scan on reminders" not in plan
