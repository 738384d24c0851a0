"""Which planned sends a schedule yields, when the reminder has some already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final
from uuid import UUID

from shared.domain.occurrence import Kind, State
from shared.domain.reminder import CancelOutcome, cancel_outcome

Slot = tuple[Kind, datetime]

_STOPPABLE: Final = frozenset({State.SCHEDULED, State.QUEUED})


@dataclass(frozen=True, slots=True)
class Planned:
    """A send as it is wanted, before it has a place."""

    at: datetime
    kind: Kind = Kind.MAIN
    text: str | None = None
    """Of this send alone, where it differs from the reminder's."""
    skipped: str | None = None
    """Why it is not to be made at all; it is kept for the record."""


@dataclass(frozen=True, slots=True)
class Place:
    """One planned send of a reminder."""

    id: UUID
    seq: int
    scheduled_for: datetime
    state: State
    kind: Kind = Kind.MAIN
    replaced: bool = False
    """Stopped because another list of times came, not because the reminder ended."""

    @property
    def slot(self) -> Slot:
        """What makes it the same send as another."""
        return self.kind, self.scheduled_for

    @property
    def stoppable(self) -> bool:
        """Nothing of it has gone to a provider yet, or it waits for another try."""
        return self.state in _STOPPABLE


@dataclass(frozen=True, slots=True)
class Replan:
    """How the places change. `seq` goes on after the highest that there is, so that order stays chronological."""

    dropped: tuple[UUID, ...]
    moved: tuple[tuple[UUID, int, Planned], ...]
    """Those that stay, with their new `seq`: a try that was made keeps its row, and with it its key."""
    added: tuple[tuple[int, Planned], ...]

    @property
    def left(self) -> int:
        """How many sends are still to be made."""
        return len(self.moved) + sum(planned.skipped is None for _, planned in self.added)


def spent(places: Iterable[Place]) -> set[Slot]:
    """The sends that are over or under way: they are never planned again (B-073)."""
    return {place.slot for place in places if not place.stoppable and place.state is not State.CANCELLED}


def replan(places: Sequence[Place], wanted: Sequence[Planned]) -> Replan:
    """Make the stoppable places those of `wanted` (ascending, without repeats), spent ones left out."""
    waiting = {place.slot: place.id for place in places if place.stoppable}
    done = spent(places)
    numbered = list(
        enumerate(
            (planned for planned in wanted if (planned.kind, planned.at) not in done),
            start=max((place.seq for place in places), default=0) + 1,
        )
    )
    staying = {(planned.kind, planned.at) for _, planned in numbered if planned.skipped is None}
    return Replan(
        dropped=tuple(id for slot, id in waiting.items() if slot not in staying),
        moved=tuple((waiting[_slot(p)], seq, p) for seq, p in numbered if _slot(p) in waiting and p.skipped is None),
        added=tuple((seq, p) for seq, p in numbered if _slot(p) not in waiting or p.skipped is not None),
    )


def _slot(planned: Planned) -> Slot:
    return planned.kind, planned.at


def resumable(places: Sequence[Place], wanted: Sequence[Planned], *, now: datetime) -> tuple[Planned, ...]:
    """What a reactivated reminder still has before it: undelivered and in the future (B-070, B-071)."""
    done = spent(places)
    return tuple(planned for planned in wanted if _slot(planned) not in done and planned.at > now)


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
