"""When a contact is due, and how a recurrent one's date moves on: whole days where the contact is, never drifting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.contact import Contact, Due, Interval, IntervalUnit
from shared.domain.schedule import BadTime, Steps, Unit, advance, at_wall_clock, instant, read_date, zone

MOST_TOLD: Final = 100
"""Missed dates that are listed, the newest ones: a date may be centuries old."""

_DATE_LENGTH: Final = len("2026-03-15")
_DAY: Final = timedelta(days=1)
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)

_UNITS: Final[Mapping[IntervalUnit, Unit]] = MappingProxyType(
    {IntervalUnit.DAYS: Unit.DAY, IntervalUnit.MONTHS: Unit.MONTH, IntervalUnit.YEARS: Unit.YEAR}
)


def read_due(text: str, in_zone: ZoneInfo) -> Due:
    """A date, or a date and time, in ISO 8601 (B-105); a time without an offset is one of `in_zone`.

    Raises `BadTime`, also outside the years 1900 to 9899: what is computed from it must fit the calendar.
    """
    if len(text) == _DATE_LENGTH:
        at = datetime.combine(read_date(text), time(0), tzinfo=UTC)
    else:
        try:
            at = instant(text, in_zone)
        except BadTime:
            raise BadTime("not an ISO 8601 date, or date and time, such as 2026-03-15 or 2026-03-15T09:00Z") from None
    if not _EARLIEST <= at < _LATEST:
        raise BadTime("must be in the years 1900 to 9899")
    return Due(text, at)


def day_of(due: Due, in_zone: ZoneInfo) -> date:
    """The day on which it is due, on a calendar in `in_zone`; a date alone is that day everywhere."""
    return read_date(due.text) if due.is_date else due.at.astimezone(in_zone).date()


def zone_of(contact: Contact, account_zone: str) -> ZoneInfo:
    """The contact's zone, else its account's (B-116)."""
    return zone(contact.time_zone or account_zone)


def derived(service: Due, interval: Interval, in_zone: ZoneInfo) -> tuple[Due, date]:
    """When someone is due who was served then, and the day that the interval counts from (B-117). Raises `BadTime`."""
    anchor = day_of(service, in_zone)
    return _on(service, _steps(anchor, interval).date_of(1), in_zone), anchor


def settled(contact: Contact, before: Contact, *, account_zone: str, anchor: date | None = None) -> Contact:
    """The contact with what follows from its due date and interval: where it counts from, and when it moves on.

    While both stay, so does the anchor: a caller who repeats a date makes no month end drift (B-115). `anchor` says
    another one than the due day. Raises `BadTime`.
    """
    due, interval = contact.next_due, contact.interval
    if interval is None or due is None:
        return replace(contact, due_anchor=None, advance_at=None)
    in_zone = zone_of(contact, account_zone)
    day = day_of(due, in_zone)
    was = before.next_due.text if before.next_due else None
    stays = (due.text, interval) == (was, before.interval) and before.due_anchor is not None
    counts_from = before.due_anchor if stays else anchor or day
    return replace(contact, due_anchor=counts_from, advance_at=_end_of(day, in_zone))


def advanced(contact: Contact, *, account_zone: str, now: datetime) -> tuple[Contact, tuple[date, ...]]:
    """A recurrent contact whose due day is over, due on the first later day that is not; and the dates passed over
    in between, ascending (B-113, B-114). Raises `BadTime` where the calendar ends.
    """
    due, interval, anchor = contact.next_due, contact.interval, contact.due_anchor
    if due is None or interval is None or anchor is None:
        raise ValueError("the contact is not recurrent")
    in_zone = zone_of(contact, account_zone)
    was, yesterday = day_of(due, in_zone), now.astimezone(in_zone).date() - _DAY
    day, passed = advance(anchor, interval.value, _UNITS[interval.unit], after=max(was, yesterday), since=was)
    steps = _steps(anchor, interval)
    first = steps.after(was)
    missed = tuple(steps.date_of(first + n) for n in range(max(0, passed - MOST_TOLD), passed))
    moved = replace(contact, next_due=_on(due, day, in_zone), advance_at=_end_of(day, in_zone))
    return moved, missed


def _steps(anchor: date, interval: Interval) -> Steps:
    return Steps(anchor, _UNITS[interval.unit], interval.value)


def _on(due: Due, day: date, in_zone: ZoneInfo) -> Due:
    """The same on another day, at the same time of the clock in `in_zone`, written as the caller wrote it."""
    if due.is_date:
        return Due(day.isoformat(), datetime.combine(day, time(0), tzinfo=UTC))
    clock = due.text[_DATE_LENGTH:]
    if _is_naive(clock):
        return Due(text := f"{day.isoformat()}{clock}", instant(text, in_zone))
    at = at_wall_clock(datetime.combine(day, due.at.astimezone(in_zone).time()), in_zone)
    if clock[-1] in "zZ":
        return Due(at.isoformat().replace("+00:00", "Z"), at)
    return Due(at.astimezone(in_zone).isoformat(), at)


def _is_naive(clock: str) -> bool:
    return clock[-1] not in "zZ" and not any(sign in clock for sign in "+-")


def _end_of(day: date, in_zone: ZoneInfo) -> datetime:
    """Midnight after `day`, in UTC. Raises `BadTime`."""
    try:
        return at_wall_clock(datetime.combine(day + _DAY, time(0)), in_zone)
    except OverflowError as error:
        raise BadTime("no such date") from error
