"""Which planned sends a list of times yields, when the reminder has some already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final
from uuid import UUID

from shared.domain.occurrence import State
from shared.domain.reminder import CancelOutcome, cancel_outcome
from shared.domain.schedule import undelivered

_STOPPABLE: Final = frozenset({State.SCHEDULED, State.QUEUED})


@dataclass(frozen=True, slots=True)
class Place:
    """One planned send of a reminder."""

    id: UUID
    seq: int
    scheduled_for: datetime
    state: State
    replaced: bool = False
    """Stopped because another list of times came, not because the reminder ended."""

    @property
    def stoppable(self) -> bool:
        """Nothing of it has gone to a provider yet, or it waits for another try."""
        return self.state in _STOPPABLE


@dataclass(frozen=True, slots=True)
class Replan:
    """How the places change. `seq` goes on after the highest that there is, so that order stays chronological."""

    dropped: tuple[UUID, ...]
    moved: tuple[tuple[UUID, int], ...]
    """Those that stay, with their new `seq`: a try that was made keeps its row, and with it its key."""
    added: tuple[tuple[int, datetime], ...]

    @property
    def left(self) -> int:
        """How many sends are still to be made."""
        return len(self.moved) + len(self.added)


def spent(places: Iterable[Place]) -> set[datetime]:
    """The instants that are over or under way: they are never planned again (B-073)."""
    return {place.scheduled_for for place in places if not place.stoppable and place.state is not State.CANCELLED}


def replan(places: Sequence[Place], wanted: Sequence[datetime]) -> Replan:
    """Make the stoppable places those of `wanted` (ascending, without repeats), spent instants left out."""
    waiting = {place.scheduled_for: place.id for place in places if place.stoppable}
    instants = undelivered(wanted, spent(places))
    first = max((place.seq for place in places), default=0) + 1
    numbered = list(enumerate(instants, start=first))
    return Replan(
        dropped=tuple(id for instant, id in waiting.items() if instant not in set(instants)),
        moved=tuple((waiting[instant], seq) for seq, instant in numbered if instant in waiting),
        added=tuple((seq, instant) for seq, instant in numbered if instant not in waiting),
    )


def resumable(places: Sequence[Place], wanted: Sequence[datetime], *, now: datetime) -> tuple[datetime, ...]:
    """What a reactivated reminder still has before it: undelivered and in the future (B-070, B-071)."""
    return tuple(instant for instant in undelivered(wanted, spent(places)) if instant > now)


def outcome_of_cancelling(places: Sequence[Place]) -> CancelOutcome:
    """What a cancel comes in time for; a parked send may have been made, so it counts as sent.

    Said again after the end it is the same: what that end stopped counts as stopped (B-041).
    """
    return cancel_outcome(
        sending=sum(place.state is State.SENDING for place in places),
        stopped=sum(place.stoppable for place in places) + _stopped_by_the_end(places),
        sent=sum(place.state in {State.SENT, State.UNCERTAIN} for place in places),
    )


def _stopped_by_the_end(places: Sequence[Place]) -> int:
    """An end stops the last places; those of an earlier end have others after them, made when it was taken back."""
    last = takewhile(lambda place: place.state is State.CANCELLED, sorted(places, key=lambda p: p.seq, reverse=True))
    return sum(not place.replaced for place in last)
