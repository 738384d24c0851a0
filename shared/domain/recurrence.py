"""Every so often, at a time of the wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from shared.domain.steps import Feb29, Steps, Unit
from shared.domain.wall_clock import DEFAULT_DST, BadTime, DstRule, at_wall_clock
from shared.domain.zones import zone


@dataclass(frozen=True, slots=True)
class Every:
    """A date that recurs, at a wall-clock time of a zone. Raises `BadTime` and `BadZone` when it is made."""

    anchor: date
    """The first date. It never moves; all others are counted from it (B-115)."""
    unit: Unit
    number: int
    """How many units from one date to the next, at least 1 (B-170)."""
    at: time
    time_zone: str
    feb29: Feb29 = Feb29.FEB28
    dst: DstRule = DEFAULT_DST

    def __post_init__(self) -> None:
        zone(self.time_zone)
        if self.at.tzinfo is not None:
            raise BadTime("the time of day is the zone's own: it has no offset")
        _ = self.steps

    @property
    def steps(self) -> Steps:
        """The dates alone."""
        return Steps(self.anchor, self.unit, self.number, self.feb29)

    def date_of(self, n: int) -> date:
        """The n-th date, from 0. Raises `BadTime` after the year 9999, as all that follow do."""
        return self.steps.date_of(n)

    def nth(self, n: int) -> datetime:
        """The n-th instant, from 0. It is the one after as well where a zone left out a whole day."""
        return at_wall_clock(datetime.combine(self.date_of(n), self.at), zone(self.time_zone), self.dst)

    def first_from(self, moment: datetime) -> datetime:
        """The first instant at `moment` or later."""
        return next(found for found in map(self.nth, count(self._near(moment))) if found >= moment)

    def first_after(self, moment: datetime) -> datetime:
        """The first instant later than `moment`."""
        return self.nth(self._after(moment))

    def following(self, previous: datetime, *, now: datetime, grace: timedelta) -> datetime:
        """What is planned after `previous`: the latest that is due and within the grace, or else the next to come.

        Those that were missed before it are passed over (B-264).
        """
        n = self._after(now)
        if n > 0:
            due = self.nth(n - 1)
            if due > previous and now - due <= grace:
                return due
        return self.first_after(max(previous, now))

    def _after(self, moment: datetime) -> int:
        return next(n for n in count(self._near(moment)) if self.nth(n) > moment)

    def _near(self, moment: datetime) -> int:
        """A number whose instant is before `moment`, by few steps, or 0: the zone's date is a day off UTC's at most."""
        return max(0, self.steps.near(moment.astimezone(UTC).date()) - 2)
