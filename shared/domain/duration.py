"""ISO 8601 durations: days are of the wall clock, hours are elapsed, so that `P1D` is not `PT24H` (B-220)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.wall_clock import DEFAULT_DST, BadTime, DstRule, at_wall_clock

_DURATION: Final = re.compile(
    r"P(?=[\dT])(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
_NEGATIVE: Final = re.compile(r"-P.*|P.*-\d.*", re.ASCII)
_CALENDAR: Final = re.compile(r"P[^T]*\d[YM].*", re.ASCII)
_LONGEST: Final = timedelta(days=3_653)
"""Ten years."""


class BadDuration(ValueError):
    """Not a duration, or not one that is taken; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; equal ones are equally long, however they were written."""

    days: int
    """Of the wall clock: a day later the clock shows the same time, after 23, 24 or 25 hours. A week is seven."""
    clock: timedelta
    """Elapsed."""
    text: str = field(compare=False)
    """As the caller wrote it."""

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Weeks, days, hours, minutes and seconds, in whole numbers. Raises `BadDuration`."""
        found = _DURATION.fullmatch(text)
        if found is None:
            raise BadDuration(_why_not(text))
        part = {name: int(digits) for name, digits in found.groupdict("0").items()}
        days = part["weeks"] * 7 + part["days"]
        seconds = (part["hours"] * 60 + part["minutes"]) * 60 + part["seconds"]
        if days == seconds == 0:
            raise BadDuration("a duration must be longer than nothing")
        if days * 86_400 + seconds > _LONGEST.total_seconds():
            raise BadDuration("a duration must not be longer than ten years")
        return cls(days, timedelta(seconds=seconds), text)

    def before(self, moment: datetime, in_zone: ZoneInfo, rule: DstRule = DEFAULT_DST) -> datetime:
        """The UTC instant this long before `moment`: the days go first. Raises `BadTime` at the end of the calendar."""
        return self._shifted(moment, in_zone, rule, -1)

    def after(self, moment: datetime, in_zone: ZoneInfo, rule: DstRule = DEFAULT_DST) -> datetime:
        """The UTC instant this long after `moment`: the days go first. Raises `BadTime` at the end of the calendar."""
        return self._shifted(moment, in_zone, rule, 1)

    def _shifted(self, moment: datetime, in_zone: ZoneInfo, rule: DstRule, sign: int) -> datetime:
        try:
            moment = moment.astimezone(UTC)
            if self.days:  # otherwise the second of two equal wall-clock times would become the first
                shown = moment.astimezone(in_zone).replace(tzinfo=None)
                moment = at_wall_clock(shown + timedelta(days=sign * self.days), in_zone, rule)
            return moment + sign * self.clock
        except OverflowError as error:
            raise BadTime("no such date and time") from error


def _why_not(text: str) -> str:
    if _NEGATIVE.fullmatch(text):
        return "a duration must not be negative"
    if _CALENDAR.fullmatch(text):
        return "years and months have no fixed length: write weeks or days, such as P30D"
    return "not an ISO 8601 duration in whole weeks, days, hours, minutes and seconds, such as PT3H or P1D"
