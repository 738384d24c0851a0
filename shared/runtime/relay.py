"""Outbox to bus: takes what is not published yet, publishes it with a confirm, marks it.

Runs in every process that writes. Rows are taken by flag and under lock, never by a high-water mark, because the
order of ids is not the order of commits. An unknown outcome means: again; consumers know an event by its id.
"""

from __future__ import annotations

from typing import Final

import structlog

from shared.bus.bus import EVENTS, BusMessage, PublishUnconfirmed
from shared.messages.envelope import Envelope, encode
from shared.runtime import metrics
from shared.runtime.loops import run_ticks
from shared.runtime.runtime import Runtime
from shared.store import outbox

log = structlog.get_logger()

BATCH: Final = 500
LOOK_EVERY: Final = 0.5
"""Seconds between looks for events that another process wrote and could not publish."""
AFTER_NO_CONFIRM: Final = 1.0


async def run_relay(runtime: Runtime) -> None:
    """Publish until the process stops, and once more then: what the last requests wrote goes out too."""
    relay = Relay(runtime)
    await run_ticks("relay", relay.tick, stopping=runtime.drained, wake=runtime.events_written)
    await relay.finish()


class Relay:
    """Publishes batch after batch; says once that the broker is silent, and that it answers again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._unconfirmed = False

    async def tick(self) -> float:
        """Publish one batch."""
        left, full = await self._publish()
        if left:
            # While it stops, `finish` has the last word: until then a consumer that has ended is no news.
            if not (self._unconfirmed or self._runtime.stopping.is_set()):
                self._unconfirmed = True
                log.warning("events_unconfirmed", waiting=left)
            return AFTER_NO_CONFIRM
        if self._unconfirmed:
            self._unconfirmed = False
            log.info("events_confirmed_again")
        return 0 if full else LOOK_EVERY

    async def finish(self) -> None:
        """Publish what was written last; what is left then is kept in the outbox, and published at the next start."""
        left, _ = await self._publish()
        if left:
            log.info("events_kept", waiting=left)

    async def _publish(self) -> tuple[int, bool]:
        """How many were not confirmed, and whether there may be more than one batch."""
        async with self._runtime.db.transaction() as tx:
            envelopes = await outbox.take(tx, limit=BATCH)
            try:
                if envelopes:
                    await self._runtime.bus.publish([_message(envelope) for envelope in envelopes])
            except PublishUnconfirmed:
                return len(envelopes), False
            if envelopes:
                await outbox.mark(tx, envelopes)
        for envelope in envelopes:
            metrics.PUBLISHED.labels(envelope.type).inc()
        return 0, len(envelopes) == BATCH


def _message(envelope: Envelope) -> BusMessage:
    return BusMessage(EVENTS, envelope.routing_key, envelope.id, encode(envelope))
