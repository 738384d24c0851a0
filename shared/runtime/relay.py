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
    await run_ticks("relay", lambda: tick(runtime), stopping=runtime.drained, wake=runtime.events_written)
    await tick(runtime)


async def tick(runtime: Runtime) -> float:
    """Publish one batch."""
    async with runtime.db.transaction() as tx:
        envelopes = await outbox.take(tx, limit=BATCH)
        if not envelopes:
            return LOOK_EVERY
        try:
            await runtime.bus.publish([_message(envelope) for envelope in envelopes])
        except PublishUnconfirmed:
            log.warning("events_unconfirmed", waiting=len(envelopes))
            return AFTER_NO_CONFIRM
        await outbox.mark(tx, envelopes)
    for envelope in envelopes:
        metrics.PUBLISHED.labels(envelope.type).inc()
    return 0 if len(envelopes) == BATCH else LOOK_EVERY


def _message(envelope: Envelope) -> BusMessage:
    return BusMessage(EVENTS, envelope.routing_key, envelope.id, encode(envelope))
