"""What the tests on RabbitMQ share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aio_pika import Message
from aio_pika.abc import AbstractChannel
from contract.bus_tools import JOBS, QUEUES, Recorder, eventually

from rig.rabbitmq import RabbitNode
from shared.bus.bus import COMMANDS, BusMessage, DeadLetter, PublishUnconfirmed
from shared.bus.rabbit import RabbitBus


async def connected(url: str) -> RabbitBus:
    async with asyncio.timeout(20):
        return await RabbitBus.connect(url, queues=QUEUES)


async def end(bus: RabbitBus) -> None:
    await bus.stop_consuming(drain=0)
    await bus.close()


async def consuming(bus: RabbitBus) -> Recorder:
    jobs = Recorder()
    await bus.consume(JOBS, jobs)
    await eventually(bus.ready)
    return jobs


async def published_at_last(bus: RabbitBus, message: BusMessage, within: float = 10) -> None:
    """Publish as callers do: again, until it is confirmed."""
    async with asyncio.timeout(within):
        while True:
            try:
                return await bus.publish([message])
            except PublishUnconfirmed:
                await asyncio.sleep(0.05)


async def ctl(node: RabbitNode, *words: str) -> str:
    return await asyncio.to_thread(node.ctl, *words)


async def dead_jobs(bus: RabbitBus, count: int) -> Sequence[DeadLetter]:
    """The dead letters of the jobs, when there are `count`."""
    async with asyncio.timeout(20):
        while len(letters := await bus.dead_letters(JOBS, limit=100)) < count:
            await asyncio.sleep(0.05)
    return letters


async def publish_with_id(message_id: str, channel: AbstractChannel) -> None:
    commands = await channel.get_exchange(COMMANDS, ensure=False)
    await commands.publish(Message(message_id.encode(), message_id=message_id), "job.run.v1")
