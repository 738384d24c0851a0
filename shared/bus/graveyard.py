"""Looking at dead letters on RabbitMQ, and giving them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aio_pika.abc import AbstractQueue
from aio_pika.exceptions import AMQPError

from shared.bus import wire
from shared.bus.bus import BusMessage, DeadLetter, Queue
from shared.bus.link import BrokerLost, Link, close_quietly, library_cancellation_as_loss, open_channel
from shared.bus.topology import dead_name

ANSWER_TIMEOUT: Final = 5.0


async def dead_letters(link: Link, queue: Queue, limit: int) -> Sequence[DeadLetter]:
    """Read the oldest `limit` and put them back in their order. Raises `BrokerLost`."""
    letters: list[DeadLetter] = []
    last = None
    async with _grave(link, queue) as grave:
        there_before = await _count(grave)
        while len(letters) < limit and (delivered := await grave.get(fail=False, timeout=ANSWER_TIMEOUT)):
            letters.append(wire.dead_letter(delivered, queue))
            last = delivered
        if last is not None:
            # One answer for all that the channel holds.
            await last.nack(multiple=True, requeue=True)
            await _until_back(grave, there_before)
    return letters


async def _until_back(grave: AbstractQueue, expected: int) -> None:
    """Wait until they are there again, a second at most, so that whoever looks next finds them."""
    for _ in range(50):
        if await _count(grave) >= expected:
            return
        await asyncio.sleep(0.02)


async def _count(grave: AbstractQueue) -> int:
    # A handle that was got without asking declares passively.
    return (await grave.declare(timeout=ANSWER_TIMEOUT)).message_count or 0


async def replay(
    link: Link, queue: Queue, limit: int, publish: Callable[[Sequence[BusMessage]], Awaitable[None]]
) -> int:
    """Each is removed after its copy is confirmed, so a crash in between repeats one and loses none."""
    replayed = 0
    async with _grave(link, queue) as grave:
        # Not more than are there now: one that dies again at once would be replayed again and again.
        limit = min(limit, await _count(grave))
        while replayed < limit and (delivered := await grave.get(fail=False, timeout=ANSWER_TIMEOUT)):
            await publish([wire.revived(delivered, queue)])
            await delivered.ack()
            replayed += 1
    return replayed


@asynccontextmanager
async def _grave(link: Link, queue: Queue) -> AsyncIterator[AbstractQueue]:
    """The queue of dead letters, on a channel of our own: what it holds unacknowledged goes back when it closes."""
    try:
        with library_cancellation_as_loss():
            async with asyncio.timeout(ANSWER_TIMEOUT):
                connection = await link.connection()
            channel = await open_channel(connection)
            try:
                yield await channel.get_queue(dead_name(queue), ensure=False)
            finally:
                await close_quietly(channel)
    except (AMQPError, OSError, RuntimeError, TimeoutError) as error:
        raise BrokerLost(type(error).__name__) from None
