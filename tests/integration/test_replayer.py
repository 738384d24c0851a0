"""Dead letters of the memory bus, given back by the process that has it when another one asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services import replayer
from shared.bus.bus import WEBHOOK_EVENTS, BusMessage, DeadLetter, Undeliverable
from shared.bus.memory import MemoryBus
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store import replays
from shared.store.database import Database

LISTENER = "select pid from pg_stat_activity where datname = current_database() and query ilike 'listen%'"


class Handler:
    """Remembers what it took, and refuses while `refusing`."""

    def __init__(self) -> None:
        self.taken: list[UUID] = []
        self.refusing = False

    async def __call__(self, message: BusMessage) -> None:
        if self.refusing:
            raise Undeliverable("not yet")
        self.taken.append(message.id)


@pytest.fixture
async def asking(database_url: str) -> AsyncIterator[Database]:
    """The database as another process has it."""
    db = await Database.open(database_url, size=2)
    yield db
    await db.close()


@pytest.fixture
def table(asking: Database) -> DeadLetterTable:
    return DeadLetterTable(asking)


@pytest.fixture
async def handler(database_url: str, asking: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Handler]:
    """Takes what the running process is asked to give back."""
    monkeypatch.setattr(replayer, "_LISTEN_AGAIN", 0.1)
    db = await Database.open(database_url, size=2)
    bus = MemoryBus(DeadLetterTable(db))
    handler = Handler()
    await bus.consume(WEBHOOK_EVENTS, handler)
    runtime = Runtime(settings=Settings(), db=db, bus=bus)
    running = asyncio.create_task(replayer.run(runtime))
    await until(lambda: listener(asking))
    yield handler
    runtime.stopping.set()
    async with asyncio.timeout(5):
        await running
    await bus.close()
    await db.close()


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def listener(db: Database) -> int | None:
    """Who listens, by the server's number for its connection."""
    async with db.connection() as connection:
        pid: int | None = await connection.fetchval(LISTENER)
    return pid


async def bury(table: DeadLetterTable, count: int) -> list[UUID]:
    letters = [
        DeadLetter(uuid4(), WEBHOOK_EVENTS.name, "message.sent.v1", "tried", datetime.now(UTC), b"{}")
        for _ in range(count)
    ]
    for letter in letters:
        await table.save(letter)
    return [letter.id for letter in letters]


async def ask(db: Database, limit: int = 100) -> None:
    async with db.transaction() as tx:
        await replays.ask(tx, WEBHOOK_EVENTS.name, limit=limit)


async def left(table: DeadLetterTable) -> list[UUID]:
    return [letter.id for letter in await table.list(WEBHOOK_EVENTS.name, limit=100)]


async def test_the_process_with_the_bus_gives_back_what_another_asks_for(
    asking: Database, table: DeadLetterTable, handler: Handler
) -> None:
    first, second, third = await bury(table, 3)

    await ask(asking, limit=2)

    await until(lambda: _equals(left(table), [third]))
    assert handler.taken == [first, second]


async def test_what_dies_again_stays_and_can_be_asked_for_again(
    asking: Database, table: DeadLetterTable, handler: Handler
) -> None:
    handler.refusing = True
    [letter] = await bury(table, 1)
    await ask(asking)
    await until(lambda: _died_of(table, "not yet"))

    handler.refusing = False
    await ask(asking)

    await until(lambda: _equals(left(table), []))
    assert handler.taken == [letter]


async def test_it_listens_again_after_its_connection_was_lost(
    asking: Database, table: DeadLetterTable, handler: Handler
) -> None:
    [letter] = await bury(table, 1)
    lost = await listener(asking)
    async with asking.connection() as connection:
        await connection.execute("select pg_terminate_backend($1)", lost)
    await until(lambda: _is_another(listener(asking), lost))

    await ask(asking)

    await until(lambda: _equals(left(table), []))
    assert handler.taken == [letter]


async def _equals(found: Awaitable[object], expected: object) -> bool:
    return await found == expected


async def _died_of(table: DeadLetterTable, reason: str) -> bool:
    return any(letter.reason == reason for letter in await table.list(WEBHOOK_EVENTS.name, limit=1))


async def _is_another(found: Awaitable[int | None], before: int | None) -> bool:
    return await found not in {None, before}
