"""The same reminder seen from every side: its whole life, and why its next send is when it is (issue 3, point 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.core.policy import Core
from shared.domain.circumstances import Circumstances, Send
from shared.domain.endings import ending
from shared.domain.explanation import Explanation, explain, lateness
from shared.domain.occurrence import Kind
from shared.domain.refusal import Invalid, NotFound, Problem
from shared.domain.schedule import tzdata_version
from shared.domain.wording import Intent, Said, in_words, intents
from shared.store import explanations, person_search
from shared.store.database import Connection
from shared.store.explanations import Window
from shared.store.person_search import Known

__all__ = ["MOST_SENDS", "Explained", "Known", "Life", "Lives", "Told", "explain_reminder", "find_lives"]

MOST_SENDS: Final = 2_000
"""Planned sends that one answer tells of, over all its reminders."""


@dataclass(frozen=True, slots=True)
class Told:
    """One planned send, and what there is to say of it."""

    send: Send
    ending: Said | None
    """None while it has not ended."""
    intent: Intent | None
    """Of an explanation alone; None where its time does not follow from the schedule as it is now."""
    lateness: timedelta | None


@dataclass(frozen=True, slots=True)
class Life:
    """A reminder with planned sends of it, in their order."""

    around: Circumstances
    explanation: Explanation
    next: Told | None
    sends: Sequence[Told]
    total: int
    """How many planned sends it has."""


@dataclass(frozen=True, slots=True)
class Explained:
    life: Life
    schedule: Said
    rules: str
    """The release of time-zone rules that this process computes with."""


@dataclass(frozen=True, slots=True)
class Lives:
    found: Sequence[Life]
    total: int


async def explain_reminder(
    db: Connection, core: Core, *, account_id: UUID, id: UUID, limit: int, offset: int, now: datetime
) -> Explained:
    """One reminder with `limit` of its planned sends from `offset` on. Raises `NotFound`."""
    found = await _circumstances(db, core, [id], account_id=account_id, now=now)
    if not found:
        raise NotFound("reminder")
    sends = await explanations.sends(db, [id], Window(limit, offset), account_id=account_id)
    life = _life(found[0], sends.get(id, []), _intents(found[0]))
    return Explained(life, _schedule(found[0]), tzdata_version())


async def find_lives(
    db: Connection, core: Core, known: Known, *, account_id: UUID, limit: int, skip: int, sends: int, now: datetime
) -> Lives:
    """What is known of a person or of a reminder, over all doors, the newest first; of each reminder the `sends` whose
    times are nearest. Raises `Invalid` where that would be more than an answer holds.
    """
    if limit * sends > MOST_SENDS:
        raise Invalid([Problem("occurrences_limit", f"times limit it may be {MOST_SENDS} at the most", "too_many")])
    total = await person_search.count(db, known, account_id=account_id)
    ids = await person_search.page(db, known, account_id=account_id, limit=limit, skip=skip)
    found = await _circumstances(db, core, ids, account_id=account_id, now=now)
    told = await explanations.sends(db, ids, Window(sends, near=now), account_id=account_id)
    return Lives([_life(around, told.get(around.reminder.id, [])) for around in found], total)


async def _circumstances(
    db: Connection, core: Core, ids: Sequence[UUID], *, account_id: UUID, now: datetime
) -> list[Circumstances]:
    return await explanations.circumstances(db, ids, account_id=account_id, fallback=core.policy, now=now)


def _no_intent(_kind: Kind, _at: datetime) -> Intent | None:
    return None


def _life(
    around: Circumstances, sends: Sequence[Send], find: Callable[[Kind, datetime], Intent | None] = _no_intent
) -> Life:
    following = _told(around.next, find, around.now) if around.next else None
    told = [_told(send, find, around.now) for send in sends]
    return Life(around, explain(around), following, told, sum(around.counts.values()))


def _told(send: Send, find: Callable[[Kind, datetime], Intent | None], now: datetime) -> Told:
    ended = ending(send.state, send.reason, attempt=send.attempt)
    return Told(send, ended, find(send.kind, send.scheduled_for), lateness(send, now=now))


def _intents(around: Circumstances) -> Callable[[Kind, datetime], Intent | None]:
    try:
        return intents(around.reminder.schedule, around.reminder.time_zone)
    except (ValueError, KeyError, TypeError):  # what rules of another release cannot read is told without its words
        return _no_intent


def _schedule(around: Circumstances) -> Said:
    try:
        return in_words(around.reminder.schedule, around.reminder.time_zone)
    except (ValueError, KeyError, TypeError):
        return Said("unreadable", "Its schedule cannot be read by the rules of this release.")
