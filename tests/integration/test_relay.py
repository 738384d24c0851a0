"""From the outbox to the bus: what is said while nobody confirms, and what a stop leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from shared.bus.bus import WEBHOOK_EVENTS, BusMessage
from shared.bus.memory import MemoryBus
from shared.domain.events import ContactCreated
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.relay import Relay
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store import outbox
from shared.store.database import Database
from shared.store.outbox import Recorded


@pytest.fixture
async def runtime(database_url: str) -> AsyncIterator[Runtime]:
    """With one event in the outbox and a consumer that has stopped."""
    db = await Database.open(database_url, size=2)
    runtime = Runtime(settings=Settings(), db=db, bus=MemoryBus(DeadLetterTable(db)))
    await runtime.bus.consume(WEBHOOK_EVENTS, take)
    await runtime.bus.stop_consuming(drain=1)
    async with db.transaction() as tx:
        event = ContactCreated(contact_id=uuid4())
        await outbox.append(tx, [Recorded(event, uuid4(), datetime.now(UTC), 1)])
    yield runtime
    await runtime.bus.close()
    await db.close()


async def take(_: BusMessage) -> None:
    """Handled."""


async def left(runtime: Runtime) -> int:
    async with runtime.db.transaction() as tx:
        return len(await outbox.take(tx, limit=10))


async def test_a_silent_broker_is_said_once_and_so_is_its_return(runtime: Runtime) -> None:
    relay = Relay(runtime)
    with capture_logs() as lines:
        for _ in range(3):
            await relay.tick()
        await runtime.bus.consume(WEBHOOK_EVENTS, take)
        for _ in range(2):
            await relay.tick()
    assert lines == [
        {"event": "events_unconfirmed", "log_level": "warning", "waiting": 1},
        {"event": "events_confirmed_again", "log_level": "info"},
    ]
    assert await left(runtime) == 0


async def test_a_stop_says_once_what_it_leaves_for_the_next_start(runtime: Runtime) -> None:
    """Calls under way write events while the consumer of this process has already ended."""
    relay = Relay(runtime)
    runtime.stopping.set()
    with capture_logs() as lines:
        for _ in range(5):
            await relay.tick()
        await relay.finish()
    assert lines == [{"event": "events_kept", "log_level": "info", "waiting": 1}]
    assert await left(runtime) == 1


async def test_a_stop_that_leaves_nothing_says_nothing(runtime: Runtime) -> None:
    relay = Relay(runtime)
    await runtime.bus.consume(WEBHOOK_EVENTS, take)
    runtime.stopping.set()
    with capture_logs() as lines:
        await relay.finish()
    assert (lines, await left(runtime)) == ([], 0)
