"""One queue's consumer on RabbitMQ: comes back by itself, and its handlers never notice a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final
from uuid import uuid4

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from shared.bus import wire
from shared.bus.bus import BusMessage, Handler, OnDead, PublishUnconfirmed, Queue, Undeliverable
from shared.bus.handling import Running, handle
from shared.bus.link import (
    CLOSE_TIMEOUT,
    PROBE_EVERY,
    BrokerLost,
    Link,
    close_quietly,
    dropping_the_silent,
    keep_alive,
    library_cancellation_as_loss,
    open_channel,
)
from shared.bus.topology import declare

RPC_TIMEOUT: Final = 5.0
SILENT_PROBES: Final = 15
"""Probes in a row (60 s) with messages waiting, nothing running and nothing delivered: start over."""

DEAD_LETTER_PAUSE: Final = 1.0

Publish = Callable[[Sequence[BusMessage]], Awaitable[None]]


class Consumer:
    """Consumes `queue` on its own channel of `link`; dead letters go out through `publish`."""

    def __init__(
        self, link: Link, queue: Queue, handler: Handler, publish: Publish, *, queues: Sequence[Queue], on_dead: OnDead
    ) -> None:
        self._link = link
        self.queue = queue
        self._handler = handler
        self._publish = publish
        self._queues = queues
        self._on_dead = on_dead
        self._channel: AbstractChannel | None = None
        self._source: AbstractQueue | None = None
        self._tag = f"{queue.name}.{uuid4().hex}"
        self._task: asyncio.Task[None] | None = None
        self._consuming = False
        self._stopping = False
        self._delivered = 0
        self._running = Running()
        # Redelivered twins of messages whose handlers outlived their connection must not pile up.
        self._slots = asyncio.Semaphore(queue.prefetch)

    @property
    def consuming(self) -> bool:
        """Whether the broker has confirmed the consumer and nothing has ended it since."""
        return self._consuming

    def start(self, spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]]) -> None:
        """Consume from now on, whatever happens to the connection. `spawn` is told of `TopologyMismatch`."""
        self._task = spawn(keep_alive(f"consumer of {self.queue.name}", self._session))

    async def _session(self) -> None:
        connection = await self._link.connection()
        async with self._asking(connection) as asked:
            self._channel = channel = await open_channel(connection)
            try:
                lost = await self._consume(channel)
                self._consuming = True
                await self._until_lost(connection, asked, lost)
            finally:
                self._consuming = False
                if not self._stopping:
                    await close_quietly(channel)

    @asynccontextmanager
    async def _asking(self, connection: AbstractConnection) -> AsyncIterator[AbstractQueue]:
        """The queue, declared, on a channel of its own.

        A question that is cancelled half-way costs its channel, and handlers must still be able to acknowledge
        on theirs.
        """
        channel = await open_channel(connection)
        try:
            # The queue may be what was lost.
            await declare(channel, self._queues)
            yield await channel.get_queue(self.queue.name, ensure=False)
        finally:
            if not self._stopping:
                await close_quietly(channel)

    async def _consume(self, channel: AbstractChannel) -> asyncio.Event:
        """Start consuming; the event is set when the broker has ended it, or the channel is closed."""
        lost = asyncio.Event()
        channel.close_callbacks.add(lambda *_: lost.set())
        # The plain channel does not say when the broker cancels its consumer.
        beneath = await channel.get_underlay_channel()
        beneath.on_consumer_cancel_callbacks.add(lambda _: lost.set())
        await channel.set_qos(prefetch_count=self.queue.prefetch, timeout=RPC_TIMEOUT)
        self._source = await channel.get_queue(self.queue.name, ensure=False)
        await self._source.consume(partial(self._on_delivery, channel), consumer_tag=self._tag, timeout=RPC_TIMEOUT)
        if channel.is_closed:
            lost.set()
        return lost

    async def _until_lost(self, connection: AbstractConnection, asked: AbstractQueue, lost: asyncio.Event) -> None:
        silent = 0
        while True:
            before = self._delivered
            with suppress(TimeoutError):
                async with asyncio.timeout(PROBE_EVERY):
                    await lost.wait()
                return
            waiting = await dropping_the_silent(connection, _probe(asked))
            idle = self._delivered == before and not self._running
            silent = silent + 1 if waiting and idle else 0
            if silent >= SILENT_PROBES:
                raise BrokerLost("messages are waiting and none is delivered")

    async def _on_delivery(self, channel: AbstractChannel, delivered: AbstractIncomingMessage) -> None:
        # The library cancels this callback together with its connection, so it only starts the work.
        self._delivered += 1
        self._running.spawn(self._deliver(channel, delivered))

    async def _deliver(self, channel: AbstractChannel, delivered: AbstractIncomingMessage) -> None:
        async with self._slots:
            if self._stopping or channel.is_closed:
                # Not started, and the broker gives it to somebody again.
                return
            reason = await self._handle(delivered)
            if reason is not None:
                await self._bury(delivered, reason)
        # Where the channel has died the broker delivers the message again; handlers are idempotent.
        with suppress(Exception), library_cancellation_as_loss():
            await delivered.ack()

    async def _handle(self, delivered: AbstractIncomingMessage) -> str | None:
        try:
            message = wire.incoming(delivered)
        except Undeliverable as refusal:
            return str(refusal)
        return await handle(self._handler, message)

    async def _bury(self, delivered: AbstractIncomingMessage, reason: str) -> None:
        letter = wire.dying(delivered, self.queue, reason)
        while True:
            try:
                await self._publish([letter])
            except PublishUnconfirmed:
                await asyncio.sleep(DEAD_LETTER_PAUSE)
            else:
                self._on_dead(self.queue)
                return

    async def stop_taking(self) -> None:
        """Tell the broker to deliver no more; the channel stays open for acknowledgements."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._source is not None and not self._source.channel.is_closed:
            with suppress(Exception), library_cancellation_as_loss():
                await self._source.cancel(self._tag, timeout=CLOSE_TIMEOUT)

    async def drain(self, seconds: float) -> None:
        """Wait for the handlers, then give back what they did not get to."""
        await self._running.drain(seconds)
        if self._channel is not None:
            await close_quietly(self._channel)


async def _probe(asked: AbstractQueue) -> int:
    """How many messages wait; raises when the queue is gone or the broker sees no consumer."""
    # A handle that was got without asking declares passively.
    found = await asked.declare()
    if not found.consumer_count:
        raise BrokerLost("the broker sees no consumer")
    return found.message_count or 0
