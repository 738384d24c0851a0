"""Dates at equal steps from an anchor. Each is computed from the anchor, never from the one before: nothing drifts."""

from __future__ import annotations

from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count
from typing import Final

from shared.domain.wall_clock import BadTime


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Feb29(StrEnum):
    """When an anchor of 29 February comes in a common year's February (B-176)."""

    FEB28 = "feb28"
    MAR1 = "mar1"


_DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS: Final = {Unit.MONTH: 1, Unit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Steps:
    """The dates, numbered from 0, the anchor. A month without the anchor's day has its last day instead (B-115)."""

    anchor: date
    unit: Unit
    number: int
    """How many units from one date to the next, at least 1."""
    feb29: Feb29 = Feb29.FEB28

    def __post_init__(self) -> None:
        if self.number < 1:
            raise BadTime("dates that recur are at least 1 unit apart")

    def date_of(self, n: int) -> date:
        """The n-th date. Raises `BadTime` after the year 9999."""
        try:
            if self.unit in _DAYS:
                return self.anchor + timedelta(days=n * self.number * _DAYS[self.unit])
            return self._months_on(n * self.number * _MONTHS[self.unit])
        except (ValueError, OverflowError) as error:
            raise BadTime("does not recur by the year 9999") from error

    def after(self, day: date) -> int:
        """The number of the first date after `day`. Raises `BadTime` where that is after the year 9999."""
        return next(n for n in count(max(0, self.near(day) - 1)) if self.date_of(n) > day)

    def near(self, day: date) -> int:
        """The number of the last date on or before `day`, or one more; below zero before the anchor."""
        if self.unit in _DAYS:
            return (day - self.anchor).days // (self.number * _DAYS[self.unit])
        months = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        return months // (self.number * _MONTHS[self.unit])

    def _months_on(self, months: int) -> date:
        years, month = divmod(self.anchor.month - 1 + months, 12)
        year, month = self.anchor.year + years, month + 1
        leaps = (self.anchor.month, self.anchor.day) == (2, 29)
        if leaps and month == 2 and not isleap(year) and self.feb29 is Feb29.MAR1:
            return date(year, 3, 1)
        return date(year, month, min(self.anchor.day, monthrange(year, month)[1]))


def advance(anchor: date, value: int, unit: Unit, *, after: date, since: date | None = None) -> tuple[date, int]:
    """The first date after `after`, and how many dates between `since` and it were passed over (B-113, B-114).

    `since` is the date that was due last, if it is not the anchor. Raises `BadTime` where dates end.
    """
    steps = Steps(anchor, unit, value)
    n = steps.after(after)
    return steps.date_of(n), max(0, n - steps.after(since or anchor))
