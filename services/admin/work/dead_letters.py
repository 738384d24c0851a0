"""Dead letters, wherever the bus keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from services.admin.output import Row
from services.admin.work.database import admin_settings, open_database
from services.ending import CannotRun
from services.running import run
from shared.bus.bus import QUEUES, DeadLetter, Queue
from shared.bus.rabbit import RabbitBus
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.settings import Settings
from shared.store import replays
from shared.store.database import Database

CONNECT_WITHIN: Final = 5.0
TAKEN_WITHIN: Final = 8.0
"""Seconds until a running `up` must have handled what it is asked to replay."""


def list_all(queue: str | None, *, limit: int, with_bodies: bool) -> list[Row]:
    """The oldest of each queue. Raises what an absent database or broker raises."""
    letters = run(_list(admin_settings(), _chosen(queue), limit))
    return [_row(letter, with_bodies=with_bodies) for letter in letters]


def replay(queue: str | None, *, limit: int) -> Row:
    """How many were given back, by queue. Raises `CannotRun` where nobody takes them."""
    return run(_replay(admin_settings(), _chosen(queue), limit))


def _chosen(name: str | None) -> Sequence[Queue]:
    return [queue for queue in QUEUES if name in {None, queue.name}]


def _row(letter: DeadLetter, *, with_bodies: bool) -> Row:
    row = {
        "queue": letter.queue,
        "id": str(letter.id),
        "type": letter.routing_key,
        "dead_at": letter.dead_at.isoformat(timespec="milliseconds"),
        "reason": letter.reason,
    }
    return {**row, "body": letter.body.decode(errors="replace")} if with_bodies else row


async def _list(settings: Settings, queues: Sequence[Queue], limit: int) -> list[DeadLetter]:
    if _in_memory(settings):
        async with open_database(settings) as database:
            table = DeadLetterTable(database)
            return [letter for queue in queues for letter in await table.list(queue.name, limit=limit)]
    async with _rabbit(settings) as bus:
        return [letter for queue in queues for letter in await bus.dead_letters(queue, limit=limit)]


async def _replay(settings: Settings, queues: Sequence[Queue], limit: int) -> Row:
    if _in_memory(settings):
        async with open_database(settings) as database:
            return {queue.name: await _have_replayed(database, queue, limit) for queue in queues}
    async with _rabbit(settings) as bus:
        return {queue.name: await bus.replay_dead_letters(queue, limit=limit) for queue in queues}


async def _have_replayed(database: Database, queue: Queue, limit: int) -> int:
    """Ask the process that has the queue, and wait until each letter is gone or has died again."""
    before = {letter.id: letter.dead_at for letter in await DeadLetterTable(database).list(queue.name, limit=limit)}
    if not before:
        return 0
    async with database.transaction() as tx:
        await replays.ask(tx, queue.name, limit=limit)
    try:
        async with asyncio.timeout(TAKEN_WITHIN):
            while True:
                async with database.connection() as db:
                    now = await replays.dead_at(db, queue.name, list(before))
                if all(now.get(id) != died for id, died in before.items()):
                    return len(before)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise CannotRun(
            f"{len(before)} dead letters of {queue.name} wait: the memory bus lives in `belltower up`, which must "
            "be running to take them; start it and try again"
        ) from None


def _in_memory(settings: Settings) -> bool:
    return settings.on_memory_bus


@asynccontextmanager
async def _rabbit(settings: Settings) -> AsyncIterator[RabbitBus]:
    try:
        async with asyncio.timeout(CONNECT_WITHIN):
            bus = await RabbitBus.connect(settings.bus_url.get_secret_value(), name="belltower admin")
    except TimeoutError:
        raise CannotRun("the broker does not answer: is BUS_URL right, and is it running?") from None
    try:
        yield bus
    finally:
        await bus.close()
