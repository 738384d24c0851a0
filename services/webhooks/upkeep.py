"""What the webhook service does beside delivering: rescue, hold and resume, forget, and backfill."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.webhooks.fanout import fan_out, read
from services.webhooks.format import Happened
from shared.messages.envelope import Envelope, Undecodable
from shared.runtime.runtime import Runtime
from shared.store import backfills, delivery_upkeep

_AT_ONCE: Final = 1000
_EVENTS: Final = 200


class Upkeep:
    """Ticks for `run_ticks`; each returns the seconds until its next."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def rescue(self, now: datetime | None = None) -> float:
        """Give back what dead workers held, and bring deliveries in line with their endpoints' states."""
        async with self._runtime.db.transaction() as tx:
            rescued = await delivery_upkeep.rescue(tx, now=now)
            moved = await delivery_upkeep.sweep(tx, limit=_AT_ONCE)
        if rescued or moved:
            self._runtime.deliveries_written.set()
        return 0.05 if moved >= _AT_ONCE else self._runtime.settings.rescue_every

    async def forget(self, now: datetime | None = None) -> float:
        """Blank the answers that are older than their time."""
        async with self._runtime.db.transaction() as tx:
            forgotten = await delivery_upkeep.forget_responses(tx, limit=_AT_ONCE, now=now)
        return 0.2 if forgotten >= _AT_ONCE else 60.0

    async def backfill(self, now: datetime | None = None) -> float:
        """Take one wish a bit further."""
        async with self._runtime.db.transaction() as tx:
            wish = await backfills.take(tx)
            if wish is None:
                return 1.0
            events = await backfills.events(tx, wish, limit=_EVENTS)
            made = await fan_out(tx, _readable(events), only=wish.endpoint_id, now=now) if events else 0
            done = len(events) < _EVENTS
            await backfills.advance(tx, wish, last=events[-1] if events else None, made=made, done=done, now=now)
        if made:
            self._runtime.deliveries_written.set()
        return 0.0


def _readable(events: list[Envelope]) -> list[Happened]:
    """Those that this release can read: a replay never stops at an event from another one."""
    found = []
    for envelope in events:
        try:
            happened = read(envelope)
        except Undecodable:
            continue
        if happened is not None:
            found.append(happened)
    return found
