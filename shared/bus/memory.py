"""The bus within one process, for `memory://`. Same promises to its users as RabbitMQ.

A command is published when it is in its queue; its lease in the database heals the loss of the process. An
event is published when the handlers of all queues bound to it have committed, because nothing else would
bring it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from shared.bus.bus import (
    COMMANDS,
    PUBLISH_TIMEOUT,
    QUEUES,
    BusMessage,
    DeadLetter,
    Handler,
    OnDead,
    PublishUnconfirmed,
    Queue,
)
from shared.bus.memory_queue import MemoryQueue
from shared.bus.topic import matches

QUEUE_LENGTH: Final = 1000
"""Messages that one queue holds before its publishers have to wait."""


class DeadLetterStore(Protocol):
    """Where dead letters are kept: memory has no place of its own that survives."""

    async def save(self, letter: DeadLetter) -> None:
        """Keep `letter`, in place of one with the same queue and id."""
        ...

    async def list(self, queue: str, *, limit: int) -> Sequence[DeadLetter]:
        """The oldest `limit` of `queue`, oldest first."""
        ...

    async def take(self, queue: str, letter: UUID) -> bool:
        """Remove one; returns whether it was there."""
        ...


class MemoryBus:
    """See `shared.bus.bus.Bus`."""

    def __init__(
        self,
        store: DeadLetterStore,
        *,
        queues: Sequence[Queue] = QUEUES,
        length: int = QUEUE_LENGTH,
        on_dead: OnDead = lambda _queue: None,
    ) -> None:
        self._store = store
        self._on_dead = on_dead
        self._queues = {queue.name: MemoryQueue(queue, length, self._bury) for queue in queues}
        self._closed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def watch(self) -> None:
        """Wait until `close`: memory does not fail."""
        await self._closed.wait()

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """See `Bus.publish`."""
        handled: list[asyncio.Future[bool]] = []
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT):
                for message in messages:
                    handled += await self._put(message)
                for outcome in handled:
                    await outcome
        except TimeoutError:
            raise PublishUnconfirmed("not handled in time") from None
        finally:
            # What no handler has started yet need not start: its publisher will come again.
            for outcome in handled:
                outcome.cancel()

    async def _put(self, message: BusMessage) -> list[asyncio.Future[bool]]:
        bound = [
            queue
            for queue in self._queues.values()
            if queue.queue.exchange == message.exchange and matches(queue.queue.binding, message.routing_key)
        ]
        if self._closed.is_set() or not bound:
            raise PublishUnconfirmed("closed" if bound else "no queue is bound to it")
        if message.exchange != COMMANDS and any(queue.stopped for queue in bound):
            # Nobody will ever handle it here: the publisher need not wait to learn so.
            raise PublishUnconfirmed("its consumer has stopped")
        handled = [await queue.put(message) for queue in bound]
        return [] if message.exchange == COMMANDS else handled

    async def consume(self, queue: Queue, handler: Handler) -> None:
        """See `Bus.consume`."""
        self._queues[queue.name].start(handler)

    async def stop_consuming(self, *, drain: float, queue: Queue | None = None) -> None:
        """See `Bus.stop_consuming`; publishers of events not yet handled get `PublishUnconfirmed`."""
        stopping = list(self._queues.values()) if queue is None else [self._queues[queue.name]]
        await asyncio.gather(*(each.stop(drain) for each in stopping))

    def ready(self) -> bool:
        """See `Bus.ready`."""
        return not self._closed.is_set()

    async def dead_letters(self, queue: Queue, *, limit: int) -> Sequence[DeadLetter]:
        """See `Bus.dead_letters`."""
        return await self._store.list(queue.name, limit=limit)

    async def replay_dead_letters(self, queue: Queue, *, limit: int) -> int:
        """See `Bus.replay_dead_letters`; 0 where nobody consumes. A letter that dies again stays."""
        memory_queue = self._queues[queue.name]
        replayed = 0
        if not memory_queue.consuming:
            return replayed
        for letter in await self._store.list(queue.name, limit=limit):
            message = BusMessage(queue.exchange, letter.routing_key, letter.id, letter.body)
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    handled = await (await memory_queue.put(message))
            except TimeoutError:
                raise PublishUnconfirmed("not handled in time") from None
            if handled:
                # Only now: a crash in between repeats one and loses none.
                await self._store.take(queue.name, letter.id)
            replayed += 1
        return replayed

    async def _bury(self, queue: Queue, message: BusMessage, reason: str) -> None:
        await self._store.save(
            DeadLetter(message.id, queue.name, message.routing_key, reason, datetime.now(UTC), message.body)
        )
        self._on_dead(queue)

    async def close(self) -> None:
        """See `Bus.close`."""
        self._closed.set()
        await self.stop_consuming(drain=0)
