"""One tick: claim what is due, end what comes too late, publish `send.due`, and say when the next tick is wanted.

Any number of schedulers may run side by side: rows that one has locked are skipped by the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import structlog
from uuid_utils.compat import uuid7

from shared.bus.bus import COMMANDS, BusMessage, PublishUnconfirmed
from shared.messages.commands import Due, SendDue
from shared.messages.envelope import command, encode
from shared.runtime import metrics
from shared.runtime.ledger import settle_lost, settle_unsendable
from shared.runtime.runtime import Runtime
from shared.store import occurrences, pauses
from shared.store.database import Connection
from shared.store.occurrences import WINDOW, Claimed, Mark

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds to sleep at the most: what no notification announced is seen then."""
BROKER_AWAY: Final = 0.5
NEXT_WINDOW: Final = 0.05
"""Seconds between the looks at a backlog that waits for something."""
PER_COMMAND: Final = 100
"""Occurrences that one `send.due` names: a message costs as much as a provider call."""


class Scheduler:
    """Rings each occurrence when the database's clock says so, and never before."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._limit = runtime.settings.claim_batch
        self._lease = timedelta(seconds=runtime.settings.lease)
        self._after: Mark | None = None
        """How far the present round through a backlog has come; None before its beginning."""

    async def tick(self) -> float:
        """Claim and ring one batch; returns the seconds until there is more to do."""
        if not self._runtime.bus.ready():
            return BROKER_AWAY
        async with self._runtime.db.transaction() as tx:
            now = await occurrences.database_now(tx)
            asked = monotonic()
            claimed = await self._claim(tx, now)
            next_due = await occurrences.next_due(tx, now=now)
            next_end = await pauses.next_end(tx, now=now)
        await self._ring(await self._sendable(claimed))
        metrics.CLAIMED.inc(len(claimed))
        if len(claimed) == self._limit:
            return 0
        if self._after is not None:
            return NEXT_WINDOW
        return _pause([next_due, next_end], now, spent=monotonic() - asked)

    async def _claim(self, tx: Connection, now: datetime) -> list[Claimed]:
        """Claim out of one window of what is due, and out of the newest where the window holds more that waits.

        A backlog that waits (its configuration is paused, its provider rests) is gone through window by window, so
        that no look takes long; what falls due meanwhile is among the newest, and is not late because of it.
        """
        end = await occurrences.end_of_window(tx, now=now, after=self._after, window=WINDOW)
        claimed = await self._claim_after(tx, now, self._after, self._limit)
        left = self._limit - len(claimed)
        if left and end is not None:
            newest = await occurrences.newest_window(tx, now=now, window=WINDOW)
            claimed += await self._claim_after(tx, now, newest, left)
        if left:
            self._after = end
        return claimed

    async def _claim_after(self, tx: Connection, now: datetime, after: Mark | None, limit: int) -> list[Claimed]:
        return await occurrences.claim_due(tx, now=now, limit=limit, lease=self._lease, after=after, window=WINDOW)

    async def _sendable(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        asked = [(claim.id, claim.reminder_id) for claim in claimed if claim.questionable]
        if not asked:
            return list(claimed)
        ended = await settle_unsendable(self._runtime.db, asked, fallback=self._runtime.settings.policy())
        self._runtime.events_written.set()
        if ended:
            log.warning("missed", occurrences=len(ended))
        return [claim for claim in claimed if claim.id not in ended]

    async def _ring(self, claims: Sequence[Claimed]) -> None:
        """Publish the claims; what the broker does not confirm is given back, and claimed again at once."""
        if not claims:
            return
        try:
            await self._runtime.bus.publish(
                [_message(claims[i : i + PER_COMMAND]) for i in range(0, len(claims), PER_COMMAND)]
            )
        except PublishUnconfirmed:
            log.warning("send_due_unconfirmed", claims=len(claims))
            async with self._runtime.db.transaction() as tx:
                await occurrences.release(tx, [(claim.id, claim.version) for claim in claims])

    async def rescue(self) -> float:
        """Make due again what was queued and never begun, and settle attempts whose worker is gone."""
        async with self._runtime.db.transaction() as tx:
            now = await occurrences.database_now(tx)
            queued = await occurrences.rescue_queued(tx, now=now, limit=self._limit)
            if queued:
                await occurrences.ring(tx)
        lost = await settle_lost(self._runtime.db, fallback=self._runtime.settings.policy(), limit=self._limit)
        if queued or lost:
            metrics.RESCUED.labels("queued").inc(queued)
            log.warning("rescued", queued=queued, sending=lost)
            self._runtime.events_written.set()
        return 0 if self._limit in {queued, lost} else self._runtime.settings.rescue_every


def _pause(moments: Sequence[datetime | None], now: datetime, *, spent: float) -> float:
    """Seconds until the first of these moments, where there is one."""
    known = [moment for moment in moments if moment is not None]
    if not known:
        return LOOK_EVERY
    return min(max((min(known) - now).total_seconds() - spent, 0.0005), LOOK_EVERY)


def _message(claims: Sequence[Claimed]) -> BusMessage:
    send_due = SendDue(tuple(Due(claim.id, claim.version) for claim in claims))
    envelope = command(send_due, command_id=uuid7(), at=datetime.now(UTC))
    return BusMessage(COMMANDS, envelope.routing_key, envelope.id, encode(envelope))
