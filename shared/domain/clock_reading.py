"""Whether a time on a wall was read by a rule: one that the clocks jump over, or show twice (B-027)."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Clock(StrEnum):
    """How a written time became an instant."""

    OFFSET = "offset"
    """It names its own offset: no zone decides (B-025)."""
    PLAIN = "plain"
    """The zone's clocks show it once."""
    GAP = "gap"
    """They jump over it."""
    OVERLAP = "overlap"
    """They show it twice."""


def clock_of(naive: datetime, in_zone: ZoneInfo) -> Clock:
    """How the clocks of `in_zone` show `naive`."""
    try:
        first, second = (naive.replace(tzinfo=in_zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        return Clock.PLAIN
    if first == second:
        return Clock.PLAIN
    return Clock.OVERLAP if first < second else Clock.GAP


def clock_of_text(text: str, in_zone: ZoneInfo) -> Clock:
    """The same of a date and time that was read before."""
    written = datetime.fromisoformat(text.upper())
    return Clock.OFFSET if written.tzinfo is not None else clock_of(written, in_zone)
