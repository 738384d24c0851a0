"""B-270: a recurring reminder's next send is kept with the rules of its zone that it was planned with."""

from __future__ import annotations

import asyncio

from integration.sending.conftest import Sending

from services.api.rereading import EVERY, Rereading
from shared.domain.schedule import tzdata_version, zone

DAILY = {"kind": "every", "anchor": "2026-01-01", "unit": "day", "number": 1, "at": "09:00", "feb29": "feb28"}


async def test_b_270_what_plans_the_next_send_says_by_which_rules(sending: Sending) -> None:
    """So that what a process with older rules planned, at a change of releases, is read anew by a newer one."""
    reminder = await sending.remind(-1, recurs=True)
    await sending.execute(
        "update reminders set schedule = $2, tzdata_version = '2099.1' where id = $1", reminder, DAILY
    )
    await sending.ring()
    assert (await sending.reminder(reminder))["tzdata_version"] == tzdata_version()


async def test_b_270_an_end_that_plans_nothing_leaves_them(sending: Sending) -> None:
    reminder = await sending.remind(-1, 3600)
    await sending.execute("update reminders set tzdata_version = '2020.1' where id = $1", reminder)
    await sending.ring()
    assert (await sending.reminder(reminder))["tzdata_version"] == "2020.1"


async def test_b_270_while_rules_change_each_send_goes_out_once(sending: Sending) -> None:
    """Some are due by the old rules, some by the new ones alone; the scheduler rings while they are read anew."""
    at = (await sending.now()).astimezone(zone("Asia/Tokyo")).replace(tzinfo=None, microsecond=0)
    written = {"kind": "times", "send_times": [at.isoformat()]}
    reminders = [await sending.remind(0) for _ in range(40)]
    await sending.execute(
        "update reminders set schedule = $1, time_zone = 'Asia/Tokyo', tzdata_version = '2020.1'", written
    )
    await sending.execute(
        """update occurrences set scheduled_for = $1::timestamptz, due_at = $1::timestamptz
               + case when reminder_id = any($2) then interval '1 hour' else interval '0' end""",
        at.replace(tzinfo=zone("Asia/Tokyo")),
        reminders[::2],
    )
    await sending.execute("update occurrences set scheduled_for = due_at")
    rereading = Rereading(sending.runtime)
    await asyncio.gather(sending.ring(), rereading.tick())
    while await rereading.tick() != EVERY:
        pass
    await sending.ring()
    sent = await sending.fetch("select reminder_id, count(*) as n from occurrences where state = 'sent' group by 1")
    assert {(row["reminder_id"], row["n"]) for row in sent} == {(reminder, 1) for reminder in reminders}
    assert len(sending.provider.calls) == len(reminders)
    assert not await sending.fetch("select from occurrences where state in ('scheduled', 'queued', 'sending')")
