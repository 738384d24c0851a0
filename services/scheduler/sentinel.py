"""Proves that every active reminder can ring, and mends what cannot: nothing is lost in silence (decision 2).

It looks at a thousand at a time, by an index, and locks nothing of what is sound. What it mends it says: in the
reminder's history, as an event and as a metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from shared.domain.events import Event, ReminderCompleted, ReminderExpired, ScheduleRepaired
from shared.domain.reminder import Action, HistoryEntry, Status
from shared.domain.sentinel import Lost, Mending, mend
from shared.runtime import metrics
from shared.runtime.logging import where
from shared.runtime.loops import AWAY
from shared.runtime.runtime import Runtime
from shared.store import history, occurrences, outbox, plans, watch
from shared.store.database import Connection
from shared.store.outbox import Recorded

log = structlog.get_logger()

BATCH: Final = 1_000
BETWEEN: Final = 0.1
"""Seconds between two batches: ten million reminders are seen within half an hour."""
PASS_EVERY: Final = 60.0
"""Seconds from the end of one pass to the beginning of the next."""

MARGIN: Final = timedelta(hours=1)
"""More than any lease lasts (ten minutes) and any retry waits (a quarter of an hour)."""


class Sentinel:
    """A tick for `run_ticks`. Any number of processes make one pass between them."""

    def __init__(self, runtime: Runtime, *, batch: int = BATCH) -> None:
        self._runtime, self._batch = runtime, batch

    async def tick(self) -> float:
        """Look at one batch, and mend what is lost in it; returns the seconds until the next."""
        async with self._runtime.db.transaction() as tx:
            held = await watch.hold_pass(tx)
            if held is None:
                return PASS_EVERY
            now = await occurrences.database_now(tx)
            rest = _rest(held, now)
            if rest > 0:
                return rest
            seen = await watch.look(tx, after=held.after, limit=self._batch, now=now, margin=MARGIN)
            ended = seen.count < self._batch
            await watch.advance(tx, None if ended else seen.last, now=now, ended=ended)
        if seen.suspects:
            await self._mend(seen.suspects)
        return PASS_EVERY if ended else BETWEEN

    async def _mend(self, suspects: Sequence[UUID]) -> None:
        """Look again under locks: what was being changed is sound again by then, or held, and seen in the next pass."""
        fallback = self._runtime.settings.policy()
        async with self._runtime.db.transaction() as tx:
            now = await occurrences.database_now(tx)
            mended: list[tuple[Lost, Mending]] = []
            for lost in await watch.hold_lost(tx, suspects, now=now, margin=MARGIN, fallback=fallback):
                mending = mend(lost, now=now)
                try:
                    async with tx.transaction():
                        await _write(tx, lost, mending, now=now)
                except AWAY:
                    raise
                except Exception as error:  # noqa: BLE001  one that cannot be mended must not hide the others
                    log.error("schedule_unmendable", reminder_id=str(lost.id), error=where(error))
                else:
                    mended.append((lost, mending))
            if mended:
                await occurrences.ring(tx)
        for lost, mending in mended:
            metrics.REPAIRED.labels(mending.how).inc()
            log.error("schedule_repaired", reminder_id=str(lost.id), fault=lost.fault.value, how=mending.how)
        if mended:
            self._runtime.events_written.set()


def _rest(held: watch.Pass, now: datetime) -> float:
    """Seconds until the next pass may begin; 0 in the midst of one."""
    if held.after is not None or held.ended_at is None:
        return 0.0
    return min(max(0.0, PASS_EVERY - (now - held.ended_at).total_seconds()), PASS_EVERY)


async def _write(tx: Connection, lost: Lost, mending: Mending, *, now: datetime) -> None:
    if mending.freed:
        await watch.free(tx, mending.freed, now=now)
    if mending.hastened:
        await watch.hasten(tx, mending.hastened, now=now)
    if mending.renumbered:
        await watch.renumber(tx, mending.renumbered)
    await plans.add(tx, mending.added, account_id=lost.account_id, reminder_id=lost.id, now=now)
    events = _events(lost, mending)
    await watch.stand(tx, lost.id, status=mending.status, events=len(events), now=now)
    entry = HistoryEntry(now, Action.UPDATED, f"Mended: {mending.reason}", mending.status)
    await history.append(tx, [(lost.id, entry)])
    numbered = enumerate(events, start=lost.sequence + 1)
    await outbox.append(tx, [Recorded(event, lost.account_id, now, number) for number, event in numbered])


def _events(lost: Lost, mending: Mending) -> list[Event]:
    events: list[Event] = [ScheduleRepaired(lost.id, lost.external_id, mending.reason)]
    if mending.status is not Status.ACTIVE:
        kind = ReminderCompleted if mending.status is Status.COMPLETED else ReminderExpired
        events.append(kind(lost.id, lost.external_id))
    return events
