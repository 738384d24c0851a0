"""The bus on RabbitMQ: one connection publishes, another consumes.

They are separate because a memory or disk alarm blocks a whole connection that has published, and consuming
is what clears the alarm.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from os import getpid
from typing import Self

from shared.bus import graveyard
from shared.bus.bus import QUEUES, BusMessage, DeadLetter, Handler, OnDead, Queue
from shared.bus.consumer import Consumer
from shared.bus.link import Link
from shared.bus.publisher import Publisher


class RabbitBus:
    """See `shared.bus.bus.Bus`. Nothing it logs or raises holds the URL, which may hold a password."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "belltower",
        queues: Sequence[Queue] = QUEUES,
        on_dead: OnDead = lambda _queue: None,
    ) -> None:
        whole_name = f"{name}@{socket.gethostname()}:{getpid()}"
        self._publishing = Link(url, f"{whole_name} publishing")
        self._consuming = Link(url, f"{whole_name} consuming")
        self._publisher = Publisher(self._publishing, queues)
        self._queues = queues
        self._on_dead = on_dead
        self._consumers: list[Consumer] = []
        # Held here for as long as the bus lives: a task without a reference may vanish.
        self._tasks: set[asyncio.Task[None]] = set()
        self._consuming_started = False
        self._failure: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, url: str, *, name: str = "belltower", queues: Sequence[Queue] = QUEUES) -> Self:
        """Start a bus and wait for the broker, for ever. Raises `TopologyMismatch`."""
        bus = cls(url, name=name, queues=queues)
        await bus.start()
        try:
            await bus.wait_ready()
        except BaseException:
            await bus.close()
            raise
        return bus

    async def start(self) -> None:
        """Begin to connect, in the background, for as long as it takes."""
        self._failure = asyncio.get_running_loop().create_future()
        self._spawn(self._publishing.run())
        self._spawn(self._publisher.run())

    async def wait_ready(self) -> None:
        """Wait until `publish` can work. Raises `TopologyMismatch`."""
        watching = asyncio.ensure_future(self.watch())
        opened = asyncio.ensure_future(self._publisher.opened.wait())
        try:
            await asyncio.wait({watching, opened}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            opened.cancel()

    async def watch(self) -> None:
        """Wait for ever; raises `TopologyMismatch` when the broker holds other queues than ours."""
        if self._failure is None:
            raise RuntimeError("the bus was not started")
        await asyncio.shield(self._failure)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
            # Read once, so that a process that never watches is not told so by the event loop.
            self._failure.exception()

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """See `Bus.publish`; raises at once while there is no connection."""
        await self._publisher.publish(messages)

    async def consume(self, queue: Queue, handler: Handler) -> None:
        """See `Bus.consume`; returns at once, `ready` says when the broker delivers."""
        self._open_consuming()
        consumer = Consumer(self._consuming, queue, handler, self.publish, queues=self._queues, on_dead=self._on_dead)
        self._consumers.append(consumer)
        consumer.start(self._spawn)

    def _open_consuming(self) -> None:
        if not self._consuming_started:
            self._consuming_started = True
            self._spawn(self._consuming.run())

    async def stop_consuming(self, *, drain: float, queue: Queue | None = None) -> None:
        """See `Bus.stop_consuming`: first no new messages, then the running ones, then the channels."""
        stopping = [consumer for consumer in self._consumers if queue is None or consumer.queue == queue]
        self._consumers = [consumer for consumer in self._consumers if consumer not in stopping]
        await asyncio.gather(*(consumer.stop_taking() for consumer in stopping))
        await asyncio.gather(*(consumer.drain(drain) for consumer in stopping))

    def ready(self) -> bool:
        """See `Bus.ready`."""
        return self._publisher.ready and all(consumer.consuming for consumer in self._consumers)

    async def dead_letters(self, queue: Queue, *, limit: int) -> Sequence[DeadLetter]:
        """See `Bus.dead_letters`; raises `BrokerLost`."""
        self._open_consuming()
        return await graveyard.dead_letters(self._consuming, queue, limit)

    async def replay_dead_letters(self, queue: Queue, *, limit: int) -> int:
        """See `Bus.replay_dead_letters`; raises `BrokerLost` or `PublishUnconfirmed`."""
        self._open_consuming()
        return await graveyard.replay(self._consuming, queue, limit, self.publish)

    async def close(self) -> None:
        """See `Bus.close`."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.gather(self._publishing.close(), self._consuming.close())
