"""Reads planned times anew when this process knows newer rules of their time zones (B-270).

Any number of processes may do so at once, of two releases as well: each takes what nobody holds and what is older than
its own rules, and nothing is read back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from uuid_utils.compat import uuid7

from shared.domain.events import ReminderUpdated
from shared.domain.occurrence import UNFINISHED
from shared.domain.plan import Place
from shared.domain.reminder import Action, HistoryEntry, Status
from shared.domain.rereading import in_order, older, reread
from shared.domain.schedule import schedule_of, tzdata_version
from shared.runtime.runtime import Runtime
from shared.store import history, occurrences, outbox, plans, rereadings
from shared.store.database import Connection
from shared.store.outbox import Recorded
from shared.store.rereadings import Taken

log = structlog.get_logger()

EVERY: Final = 60.0
"""Seconds between looks: what a process of an older release wrote is found at the next."""

PATIENCE: Final = 0.5
"""Seconds until the next look where campaigns have enough to plan anew."""

BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class _Moved:
    """One reminder whose sends are elsewhere now."""

    taken: Taken
    rows: Sequence[tuple[Place, int, datetime | None]]
    """Each waiting send with its new `seq`, and its new instant where it has one."""
    next_send_at: datetime | None

    @property
    def count(self) -> int:
        return sum(at is not None for _, _, at in self.rows)


class Rereading:
    """A tick for `run_ticks`. `version` is the release of this process's rules; only a test says another."""

    def __init__(self, runtime: Runtime, *, version: str | None = None) -> None:
        self._runtime, self._version = runtime, version or tzdata_version()

    async def tick(self) -> float:
        """One batch of what was planned with older rules; returns the seconds until the next."""
        async with self._runtime.db.connection() as db:
            outdated = [found for found in await rereadings.versions(db) if older(found, self._version)]
        for version in outdated:
            taken, read = await self._read(version)
            if taken:
                self._runtime.events_written.set()
                return 0.0 if read == taken else PATIENCE
        return EVERY

    async def _read(self, version: str) -> tuple[int, int]:
        """How many reminders were taken, and how many of them were read; the others must wait for their campaigns."""
        async with self._runtime.db.transaction() as tx:
            taken = await rereadings.take(tx, version, limit=BATCH)
            if not taken:
                return 0, 0
            now = await occurrences.database_now(tx)
            enrolled = [one.enrollment_id for one in taken if one.enrollment_id]
            marked = await rereadings.mark_stale(tx, enrolled, most=BATCH)
            own = [one for one in taken if one.enrollment_id is None]
            moved = await _reread_all(tx, own, now)
            read = own + [one for one in taken if one.enrollment_id in marked]
            await self._write(tx, read, moved, version, now)
        if read:
            log.info("times_reread", reminders=len(read), moved=len(moved), planned_with=version, rules=self._version)
        return len(taken), len(read)

    async def _write(
        self, tx: Connection, taken: Sequence[Taken], moved: Sequence[_Moved], version: str, now: datetime
    ) -> None:
        rows = [row for one in moved for row in one.rows]
        await rereadings.move(tx, [(p.id, uuid7(), seq, at) for p, seq, at in rows if at is not None], now=now)
        await rereadings.renumber(tx, [(place.id, seq) for place, seq, at in rows if at is None])
        changed = {one.taken.id for one in moved}
        await rereadings.stamp(tx, [(one.id, one.id in changed) for one in taken], self._version)
        await history.append(tx, [(one.taken.id, self._entry(one, version, now)) for one in moved])
        await outbox.append(tx, [_event(one, now) for one in moved])
        soonest = min((one.next_send_at for one in moved if one.next_send_at), default=None)
        await plans.ring_if_soon(tx, soonest, now=now)

    def _entry(self, moved: _Moved, version: str, now: datetime) -> HistoryEntry:
        times = "1 send time" if moved.count == 1 else f"{moved.count} send times"
        detail = f"The rules of {moved.taken.time_zone} changed (tzdata {version} to {self._version}): {times} moved"
        return HistoryEntry(now, Action.UPDATED, detail, Status.ACTIVE)


async def _reread_all(tx: Connection, taken: Sequence[Taken], now: datetime) -> list[_Moved]:
    places = await rereadings.look(tx, [one.id for one in taken])
    moved = []
    for one in taken:
        found = _reread(one, places.get(one.id, []), now)
        if found is not None:
            moved.append(found)
        await asyncio.sleep(0)  # a list may hold a thousand times, and requests are waiting
    return moved


def _reread(taken: Taken, found: Sequence[tuple[Place, bool]], now: datetime) -> _Moved | None:
    """How its sends move; None where they stay."""
    places = [place for place, _ in found]
    movable = frozenset(place.id for place, may_move in found if may_move)
    try:
        moved = reread(schedule_of(taken.schedule_json, taken.time_zone), places, movable, now=now)
    except (ValueError, KeyError, TypeError) as error:  # its sends are planned all the same
        log.warning("schedule_unreadable", reminder_id=str(taken.id), error=type(error).__name__)
        return None
    if not moved:
        return None
    last = max(place.seq for place in places)
    ordered = in_order([place for place in places if place.id in movable], moved, after=last)
    unfinished = [moved.get(place.id, place.scheduled_for) for place in places if place.state in UNFINISHED]
    return _Moved(taken, [(place, seq, moved.get(place.id)) for seq, place in ordered], min(unfinished))


def _event(moved: _Moved, now: datetime) -> Recorded:
    taken = moved.taken
    event = ReminderUpdated(taken.id, taken.external_id, next_send_at=moved.next_send_at)
    return Recorded(event, taken.account_id, now, taken.sequence + 1)
