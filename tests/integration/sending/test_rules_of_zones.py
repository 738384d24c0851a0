"""B-270: a recurring reminder's next send is kept with the rules of its zone that it was planned with."""

from __future__ import annotations

from integration.sending.conftest import Sending

from shared.domain.schedule import tzdata_version

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
