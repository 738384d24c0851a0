"""A consumer of the event stream that belongs to a test: it keeps what it heard, and may misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aio_pika

from shared.bus.bus import EVENTS, BusMessage, Queue
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import dead_name
from tests.rig.ledgers import Heard


@asynccontextmanager
async def listening(bus_url: str) -> AsyncIterator[list[Heard]]:
    """Every event from now on, in a list that grows; it survives the broker's restarts as the services do."""
    heard: list[Heard] = []
    queue = Queue(f"test.heard.{uuid4().hex}", EVENTS, "#", prefetch=256)

    async def keep(message: BusMessage) -> None:
        heard.append(Heard(message.id, message.body))

    bus = await RabbitBus.connect(bus_url, queues=[queue])
    try:
        await bus.consume(queue, keep)
        yield heard
    finally:
        await bus.stop_consuming(drain=1)
        await bus.close()
        await forget(bus_url, queue)


async def forget(bus_url: str, queue: Queue) -> None:
    """Delete a test's own queue and its dead letters, so that no later test fills it."""
    async with await aio_pika.connect(bus_url, timeout=10) as connection:
        channel = await connection.channel()
        for name in (queue.name, dead_name(queue)):
            await channel.queue_delete(name)
        await channel.exchange_delete(dead_name(queue))
