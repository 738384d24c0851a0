"""Several relays, a publish whose mark is lost, and events that commit out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.bus.bus import BusMessage
from shared.bus.memory import MemoryBus
from shared.domain.events import ContactCreated
from shared.runtime import relay
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.relay import Relay
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store import outbox
from shared.store.database import Database, DatabaseAway
from shared.store.outbox import Recorded


class Broker(MemoryBus):
    """Confirms when the test says so, and remembers the ids."""

    def __init__(self, db: Database) -> None:
        super().__init__(DeadLetterTable(db))
        self.published: list[UUID] = []
        self.waiting = 0
        self.confirm = asyncio.Event()

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        self.published.extend(message.id for message in messages)
        self.waiting += 1
        await self.confirm.wait()


@pytest.fixture
async def runtime(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runtime]:
    monkeypatch.setattr(relay, "BATCH", 10)
    db = await Database.open(database_url, size=5)
    yield Runtime(settings=Settings(), db=db, bus=Broker(db))
    await db.close()


async def _write(runtime: Runtime, count: int, *, at: datetime | None = None) -> None:
    async with runtime.db.transaction() as tx:
        moment = at or datetime.now(UTC)
        await outbox.append(tx, [Recorded(ContactCreated(contact_id=uuid4()), uuid4(), moment, 1)] * count)


def _broker(runtime: Runtime) -> Broker:
    assert isinstance(runtime.bus, Broker)
    return runtime.bus


async def test_relays_side_by_side_publish_each_event_once(runtime: Runtime) -> None:
    """B-02, C-7: what one has taken and not marked yet, the other passes over without waiting."""
    broker = _broker(runtime)
    await _write(runtime, 30)
    ticks = [asyncio.create_task(Relay(runtime).tick()) for _ in range(3)]
    async with asyncio.timeout(5):
        while broker.waiting < 3:
            await asyncio.sleep(0.005)
    broker.confirm.set()
    await asyncio.gather(*ticks)
    assert len(broker.published) == len(set(broker.published)) == 30


async def test_what_was_published_and_not_marked_comes_again_under_its_id(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-02: at least once, and who keeps ids sees it once."""
    broker = _broker(runtime)
    broker.confirm.set()
    await _write(runtime, 3)

    async def away(*_: object) -> None:
        raise DatabaseAway("between the confirm and the mark")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "mark", away)
        with suppress(DatabaseAway):
            await Relay(runtime).tick()
    await Relay(runtime).tick()
    await Relay(runtime).tick()
    assert len(broker.published) == 6
    assert len(set(broker.published)) == 3


async def test_an_event_that_commits_after_a_younger_one_is_not_passed_over(runtime: Runtime) -> None:
    """B-02, P-19: nothing remembers how far it has come."""
    broker = _broker(runtime)
    broker.confirm.set()
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    async with runtime.db.transaction() as slow:
        await outbox.append(slow, [Recorded(ContactCreated(contact_id=uuid4()), uuid4(), earlier, 1)])
        await _write(runtime, 1)
        await Relay(runtime).tick()
        assert len(broker.published) == 1
    await Relay(runtime).tick()
    assert len(set(broker.published)) == 2
