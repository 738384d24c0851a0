"""Reminders on dates, to the account's own user: what the CRM door asks for, as a draft (document 003). Pure.

They go by e-mail to the account's owner, at the account's reminder hour in its zone (B-177, B-184).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from shared.domain.account import Account, Configuration
from shared.domain.draft import Draft, Reminder
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid, Problem
from shared.domain.schedule import BadTime, Every, Feb29, Times, Unit, zone

PAST = "past"
"""The code of a date that is over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be said, from which date on, and how often."""

    title: str
    description: str | None
    on: date
    """The first date; of one that recurs it may be over, and stays what all others are counted from (B-196)."""
    unit: Unit | None
    """None asks for this one date alone."""
    number: int = 1
    """Units from one date to the next; means nothing without a unit (B-171)."""
    feb29: Feb29 | None = None
    """None keeps what there is, or is feb28."""


def draft_of(
    asked: Asked,
    account: Account,
    configuration: Configuration,
    contact_id: UUID,
    *,
    now: datetime,
    past_dates: bool = False,
) -> Draft:
    """The draft; `past_dates` takes a single date that is over.

    Raises `Invalid` where the account has no owner to write to, and where the date is over or out of the calendar.
    """
    problems, schedule = [], None
    if account.owner_email is None:
        reason = "the account has no owner's e-mail address, to which its reminders go"
        problems.append(Problem("", reason, "no_owner_email"))
    try:
        schedule = _schedule(asked, account, configuration)
        if isinstance(schedule, Every):
            schedule.first_from(now)
        elif schedule.instants[0] <= now and not past_dates:
            over = f"must be a date whose reminder hour, {account.reminder_hour}:00 in {account.time_zone}, is to come"
            problems.append(Problem("next_expected_date", over, PAST))
    except BadTime as error:
        problems.append(Problem("next_expected_date", str(error)))
    if account.owner_email is None or schedule is None or problems:
        raise Invalid(problems)
    return Draft(
        external_id=None,
        channel=Channel.EMAIL,
        address=account.owner_email,
        schedule=schedule,
        time_zone=account.time_zone,
        subject=asked.title,
        text=asked.description,
        contact_id=contact_id,
    )


def _schedule(asked: Asked, account: Account, configuration: Configuration) -> Every | Times:
    at = time(account.reminder_hour)
    if asked.unit is None:
        # Kept as the wall clock shows it, so that new rules of the zone move the instant and not the hour (B-270).
        return Times.read([f"{asked.on}T{at}"], zone(account.time_zone), configuration.dst)
    return Every(
        anchor=asked.on,
        unit=asked.unit,
        number=asked.number,
        at=at,
        time_zone=account.time_zone,
        feb29=asked.feb29 or Feb29.FEB28,
        dst=configuration.dst,
    )


def next_date(reminder: Reminder) -> date | None:
    """The local date of the next send; None where there is none."""
    return local_date(reminder, reminder.next_send_at)


def local_date(reminder: Reminder, at: datetime | None) -> date | None:
    """The date that a send's instant has where the reminder is."""
    return at.astimezone(zone(reminder.time_zone)).date() if at is not None else None


def recurrence(reminder: Reminder) -> Every | None:
    """Its schedule where it recurs."""
    schedule = reminder.schedule
    return schedule if isinstance(schedule, Every) else None


def keeping_course(asked: Asked, reminder: Reminder) -> Asked:
    """With the anchor that the reminder has, where it is asked to go on with the very date that comes next.

    Whoever reads a reminder of the 31st in February and writes it back asks for the 28th, and means the 31st.
    """
    every = recurrence(reminder)
    if every is None:
        return asked
    feb29 = asked.feb29 or every.feb29
    same = (asked.unit, asked.number) == (every.unit, every.number) and asked.on == next_date(reminder)
    return Asked(
        title=asked.title,
        description=asked.description,
        on=every.anchor if same else asked.on,
        unit=asked.unit,
        number=asked.number,
        feb29=feb29,
    )
