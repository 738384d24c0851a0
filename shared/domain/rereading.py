"""What new rules of a time zone make of sends that were planned with the old ones (B-270). Pure.

The old instants are known, the old rules are not: a planned send is found in the schedule again by its place in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final
from uuid import UUID

from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place, spent
from shared.domain.schedule import Around, BadTime, Every, Schedule, Times

FARTHEST: Final = timedelta(hours=26)
"""How far a wall-clock time moves at the most: a place on earth that changes sides of the date line, and an hour more.
What lies farther from its schedule was not planned from it, and stays."""


def older(version: str, than: str) -> bool:
    """Whether these time-zone rules, such as `2026.6`, are of an earlier release; two releases may run side by side."""
    return _numbers(version) < _numbers(than)


def reread(
    schedule: Schedule, places: Sequence[Place], movable: frozenset[UUID], *, now: datetime
) -> dict[UUID, datetime]:
    """The new instants of those sends in `movable` that the rules of today put elsewhere.

    `places` are all of the reminder. No send is added, and none is lost; an instant that was sent, or is being sent, is
    not planned again. What is due stays due, unless its time is yet to come by the new rules.
    """
    waiting = sorted((place for place in places if place.id in movable), key=lambda place: place.scheduled_for)
    over = spent(places)
    return {
        place.id: at
        for place, at in _found(schedule, places, waiting)
        if abs(at - place.scheduled_for) <= FARTHEST
        and (place.kind, at) not in over
        and (place.scheduled_for > now or at > now)
    }


def in_order(waiting: Iterable[Place], moved: Mapping[UUID, datetime], *, after: int) -> list[tuple[int, Place]]:
    """The waiting sends with new numbers behind `after`, so that their order is that of their new instants."""
    chronological = sorted(waiting, key=lambda place: (moved.get(place.id, place.scheduled_for), place.seq))
    return list(enumerate(chronological, start=after + 1))


def _found(schedule: Schedule, places: Sequence[Place], waiting: Sequence[Place]) -> Iterable[tuple[Place, datetime]]:
    match schedule:
        case Times(instants=instants):
            return _in_times(instants, places, waiting)
        case Every() as every:
            return [
                (place, at)
                for place in waiting
                if place.kind is Kind.MAIN and (at := _nearest(every, place.scheduled_for)) != place.scheduled_for
            ]
        case Around() as around:
            wanted = {Kind.MAIN: around.remind_at, Kind.FOLLOW_UP: around.follow_up_at}
            found = [(place, wanted.get(place.kind)) for place in waiting]
            return [(place, at) for place, at in found if at is not None and at != place.scheduled_for]


def _in_times(
    instants: Sequence[datetime], places: Sequence[Place], waiting: Sequence[Place]
) -> Iterable[tuple[Place, datetime]]:
    """A list is sent in order: what waits are its last times, so those that moved are paired from the end.

    Two times that come to name one instant, or no longer do, change nothing: there are as many sends as before.
    """
    listed, taken = frozenset(instants), {p.scheduled_for for p in places if p.state is not State.CANCELLED}
    moving = [place for place in waiting if place.kind is Kind.MAIN and place.scheduled_for not in listed]
    fresh = sorted(listed - taken)
    pairs = min(len(moving), len(fresh))
    return zip(moving[len(moving) - pairs :], fresh[len(fresh) - pairs :], strict=True)


def _nearest(every: Every, moment: datetime) -> datetime:
    """The instant of a recurrence that is nearest to `moment`; `moment` itself where the calendar has ended."""
    try:
        start = max(0, every.steps.near(moment.date()) - 2)
        around = [every.nth(start)]
        for n in count(start + 1):
            around.append(every.nth(n))
            if around[-1] > moment:
                break
    except BadTime:
        return moment
    return min(around, key=lambda at: abs(at - moment))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", version))
