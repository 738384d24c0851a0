"""What to do with a reminder that could never ring: a bug, a restored copy or a hand in the database made it so. Pure.

The rule of decision 2: a reminder with unfinished sends has one that can be claimed, is leased or was parked; and one
that is active has an unfinished send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.account import Policy
from shared.domain.occurrence import State
from shared.domain.plan import Place, Planned, spent
from shared.domain.reminder import Status
from shared.domain.schedule import BadTime, Every, Schedule, Times
from shared.domain.settlement import following


class Fault(StrEnum):
    """Why a reminder could never ring."""

    NOTHING_LEFT = "nothing_left"
    """Active, and no send of it is unfinished."""
    HELD = "held"
    """Under a lease that no worker can have taken."""
    PUT_OFF = "put_off"
    """Due long after its time, which no retry asks for."""
    OUT_OF_ORDER = "out_of_order"
    """Its first send waits long, and one behind it would be due."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A reminder with a fault, and what its mending needs."""

    id: UUID
    account_id: UUID
    external_id: str | None
    sequence: int
    fault: Fault
    schedule: Schedule | None
    places: tuple[Place, ...]
    """By `seq`."""
    policy: Policy


@dataclass(frozen=True, slots=True)
class Mending:
    """What is to be written."""

    how: str
    """A word for metrics."""
    reason: str
    """A sentence for history and the event."""
    status: Status = Status.ACTIVE
    added: tuple[tuple[int, Planned], ...] = ()
    freed: tuple[UUID, ...] = ()
    hastened: tuple[UUID, ...] = ()
    renumbered: tuple[tuple[UUID, int], ...] = ()


def mend(lost: Lost, *, now: datetime) -> Mending:
    """Make the reminder ring again, or end it where nothing is left that could."""
    unfinished = [place for place in lost.places if place.state in _UNFINISHED]
    match lost.fault:
        case Fault.HELD:
            held = tuple(place.id for place in unfinished if place.state is not State.SCHEDULED)
            return Mending("freed", "its send was held by nobody", freed=held)
        case Fault.PUT_OFF:
            first = tuple(place.id for place in unfinished if place.state is State.SCHEDULED)
            return Mending("hastened", "its send was put off beyond its time", hastened=first)
        case Fault.OUT_OF_ORDER:
            return Mending("renumbered", "its sends were out of order", renumbered=_in_order(lost.places))
        case Fault.NOTHING_LEFT:
            return _plan_or_end(lost, now)


_UNFINISHED = frozenset({State.SCHEDULED, State.QUEUED, State.SENDING})


def _in_order(places: Sequence[Place]) -> tuple[tuple[UUID, int], ...]:
    """New numbers after all that there are, as every change of times gives them."""
    last = max(place.seq for place in places)
    waiting = sorted((p for p in places if p.state is State.SCHEDULED), key=lambda p: (p.scheduled_for, p.seq))
    return tuple((place.id, seq) for seq, place in enumerate(waiting, start=last + 1))


def _plan_or_end(lost: Lost, now: datetime) -> Mending:
    planned = _missing(lost, now)
    if planned:
        seq = max((place.seq for place in lost.places), default=0) + 1
        added = tuple(enumerate(planned, start=seq))
        return Mending("replanned", "it was active and nothing was planned", added=added)
    sent = any(place.state is State.SENT for place in lost.places)
    status = Status.COMPLETED if sent else Status.EXPIRED
    return Mending("ended", "it was active and all its sends had ended", status=status)


def _missing(lost: Lost, now: datetime) -> tuple[Planned, ...]:
    """What is still to be sent by its schedule. An appointment's texts are known to its door alone: none of it."""
    match lost.schedule:
        case Every() as every:
            return _next_of(every, lost, now)
        case Times(instants=instants):
            done = {at for _, at in spent(lost.places)}
            return tuple(Planned(at) for at in instants if at not in done and at >= now - lost.policy.grace)
        case _:
            return ()


def _next_of(every: Every, lost: Lost, now: datetime) -> tuple[Planned, ...]:
    try:
        if not lost.places:
            return (Planned(every.first_from(now)),)
        last = max(place.scheduled_for for place in lost.places)
        return (Planned(following(every, last, lost.policy, now=now)),)
    except BadTime:  # the calendar has ended
        return ()
