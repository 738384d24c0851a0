"""What a clock on a wall means: reading times and dates, and the hours that clocks leave out or show twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

_DATE_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ]"
    r"(?P<clock>(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?)"
    r"(?P<offset>[Zz]|[+-](?:0\d|1[0-8]):?[0-5]\d)?",
    re.ASCII,
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECOND: Final = timedelta(seconds=1)


class BadTime(ValueError):
    """Not a date and time, or not one that can be kept; the message says what would be."""


class Gap(StrEnum):
    """What a wall-clock time means that the clocks jump over."""

    FORWARD = "forward"
    """Later by the gap: 02:30 is 03:30 where the clocks go from 02:00 to 03:00."""
    BEFORE = "before"
    """No later than it must be, the instant of the jump: 02:30 is 03:00 there."""


class Overlap(StrEnum):
    """Which one is meant of a wall-clock time that comes twice."""

    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class DstRule:
    """How the wall-clock times are read that a zone has not, or has twice (B-027)."""

    gap: Gap = Gap.FORWARD
    overlap: Overlap = Overlap.FIRST


DEFAULT_DST: Final = DstRule()


def at_wall_clock(naive: datetime, in_zone: ZoneInfo, rule: DstRule = DEFAULT_DST) -> datetime:
    """The UTC instant at which a clock in `in_zone` shows `naive`; in a gap, one at which it shows a later time.

    Raises `BadTime` at the two ends of the calendar.
    """
    try:
        first = naive.replace(tzinfo=in_zone, fold=0).astimezone(UTC)
        second = naive.replace(tzinfo=in_zone, fold=1).astimezone(UTC)
    except OverflowError as error:
        raise BadTime("no such date and time") from error
    if first < second and rule.overlap is Overlap.SECOND:
        return second
    if second < first and rule.gap is Gap.BEFORE:
        return _jump(second, first, in_zone)
    return first


def instant(text: str, in_zone: ZoneInfo, rule: DstRule = DEFAULT_DST) -> datetime:
    """The UTC instant that `text` (ISO 8601, date and time) names; an offset in it wins over `in_zone` (B-025).

    Raises `BadTime`.
    """
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise BadTime("not an ISO 8601 date and time, such as 2025-05-29T08:00:00+07:00")
    clock, offset = found["clock"], found["offset"]
    seconds, _, fraction = clock.partition(".")
    try:
        naive = datetime.fromisoformat(f"{found['date']}T{seconds}")
        if fraction:
            naive = naive.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if offset is not None:
            sign = offset.upper().replace("Z", "+00:00")
            return datetime.fromisoformat(f"{naive.isoformat()}{sign}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadTime("no such date and time") from error
    return at_wall_clock(naive, in_zone, rule)


def intent(text: str) -> str:
    """What a text that `instant` could read says, in one spelling: an instant, or a time on the wall of some zone.

    Unlike the instant of the latter it stays the same whatever becomes of the zone's rules or of how they are read.
    """
    said = instant(text, ZoneInfo("UTC"))
    return (said if has_offset(text) else said.replace(tzinfo=None)).isoformat()


def has_offset(text: str) -> bool:
    """Whether a text that `instant` could read names its own offset."""
    return text[-1] in "Zz" or "+" in text or "-" in text[len("2025-05-29") :]


def read_date(text: str) -> date:
    """The date that `text` (YYYY-MM-DD) names. Raises `BadTime`."""
    if _DATE.fullmatch(text) is None:
        raise BadTime("not a date, such as 2025-05-29")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadTime("no such date") from error


def _jump(earlier: datetime, later: datetime, in_zone: ZoneInfo) -> datetime:
    """The instant between the two at which the clocks of `in_zone` jump; jumps are at whole seconds."""
    earlier, later = earlier.replace(microsecond=0), later.replace(microsecond=0)
    old = earlier.astimezone(in_zone).utcoffset()
    while later - earlier > _SECOND:
        middle = (earlier + (later - earlier) / 2).replace(microsecond=0)
        if middle.astimezone(in_zone).utcoffset() == old:
            earlier = middle
        else:
            later = middle
    return later
