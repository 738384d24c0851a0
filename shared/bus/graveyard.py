"""Looking at dead letters on RabbitMQ, and giving them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiormq
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage

from shared.bus import wire
from shared.bus.bus import BusMessage, DeadLetter, Queue
from shared.bus.link import BrokerLost, Link, close_quietly, library_cancellation_as_loss
from shared.bus.topology import dead_name

ANSWER_TIMEOUT: Final = 5.0


async def dead_letters(link: Link, queue: Queue, limit: int) -> Sequence[DeadLetter]:
    """Read the oldest `limit` and put them back in their order. Raises `BrokerLost`."""
    letters: list[DeadLetter] = []
    async with _channel(link) as channel:
        there_before = await _count(channel, queue)
        while len(letters) < limit and (delivered := await _get(channel, queue)):
            letters.append(wire.dead_letter(delivered, queue))
        if letters:
            await _put_back(channel, queue, there_before)
    return letters


async def _put_back(channel: AbstractChannel, queue: Queue, expected: int) -> None:
    """Wait until they are there again, a second at most, so that whoever looks next finds them."""
    # Tag 0 with `multiple` means all that the channel holds.
    await channel.basic_nack(0, multiple=True, requeue=True)
    for _ in range(50):
        if await _count(channel, queue) >= expected:
            return
        await asyncio.sleep(0.02)


async def _count(channel: AbstractChannel, queue: Queue) -> int:
    found = await channel.queue_declare(dead_name(queue), passive=True, timeout=ANSWER_TIMEOUT)
    return found.message_count or 0


async def replay(
    link: Link, queue: Queue, limit: int, publish: Callable[[Sequence[BusMessage]], Awaitable[None]]
) -> int:
    """Each is removed after its copy is confirmed, so a crash in between repeats one and loses none."""
    replayed = 0
    async with _channel(link) as channel:
        # Not more than are there now: one that dies again at once would be replayed again and again.
        limit = min(limit, await _count(channel, queue))
        while replayed < limit and (delivered := await _get(channel, queue)):
            await publish([wire.revived(delivered, queue)])
            await channel.basic_ack(delivered.delivery_tag or 0)
            replayed += 1
    return replayed


async def _get(channel: AbstractChannel, queue: Queue) -> DeliveredMessage | None:
    found = await channel.basic_get(dead_name(queue), timeout=ANSWER_TIMEOUT)
    return None if isinstance(found.delivery, spec.Basic.GetEmpty) else found


@asynccontextmanager
async def _channel(link: Link) -> AsyncIterator[AbstractChannel]:
    """A channel of our own: what it holds unacknowledged goes back when it closes."""
    try:
        with library_cancellation_as_loss():
            async with asyncio.timeout(ANSWER_TIMEOUT):
                connection = await link.connection()
            channel = await connection.channel(publisher_confirms=False, timeout=ANSWER_TIMEOUT)
            try:
                yield channel
            finally:
                await close_quietly(channel)
    except (aiormq.AMQPError, OSError, RuntimeError, TimeoutError) as error:
        raise BrokerLost(type(error).__name__) from None
