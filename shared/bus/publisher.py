"""Publishing with confirms over one link: it returns when the broker has everything, or raises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import PublishError

from shared.bus.bus import PUBLISH_TIMEOUT, BusMessage, PublishUnconfirmed, Queue
from shared.bus.link import (
    PROBE_EVERY,
    BrokerLost,
    Link,
    close_quietly,
    dropping_the_silent,
    is_blocked,
    keep_alive,
    library_cancellation_as_loss,
    open_channel,
    underlay,
)
from shared.bus.topology import TopologyMismatch, declare
from shared.bus.wire import outgoing

MAX_IN_FLIGHT: Final = 256
"""Unconfirmed messages of one call. More does not go faster, it only fills buffers."""


@dataclass(frozen=True, slots=True)
class _Outlet:
    """What one opening of the channel gives; all of it is over with the channel."""

    connection: AbstractConnection
    channel: AbstractChannel
    exchanges: dict[str, AbstractExchange] = field(default_factory=dict)

    async def exchange(self, name: str) -> AbstractExchange:
        """A handle on the exchange, made once and without asking the broker."""
        if name not in self.exchanges:
            self.exchanges[name] = await self.channel.get_exchange(name, ensure=False)
        return self.exchanges[name]


class Publisher:
    """One channel with confirms, opened again whenever the broker closes it."""

    def __init__(self, link: Link, queues: Sequence[Queue]) -> None:
        self._link = link
        self._queues = queues
        self._outlet: _Outlet | None = None
        self._something_unroutable = False
        self.opened = asyncio.Event()
        """Set while there is a channel to publish on."""

    @property
    def ready(self) -> bool:
        """Whether a publish may succeed now."""
        return self._outlet is not None and not self._outlet.channel.is_closed

    async def run(self) -> None:
        """Keep the channel open, for ever. Raises `TopologyMismatch`."""
        await keep_alive(f"{self._link.name} channel", self._session)

    async def _session(self) -> None:
        connection = await self._link.connection()
        channel = await open_channel(connection, publishing=True)
        closed = asyncio.ensure_future(channel.closed())
        try:
            await declare(channel, self._queues)
            self._outlet = _Outlet(connection, channel)
            self.opened.set()
            while True:
                await asyncio.wait({closed}, timeout=PROBE_EVERY)
                if channel.is_closed:
                    return
                if not is_blocked(connection):
                    # Any question will do; this one changes nothing, and the broker need not look anything up.
                    await dropping_the_silent(connection, channel.set_qos())
        except Exception:
            # An alarm in the middle of a question leaves the connection open, and this channel with it.
            await close_quietly(channel)
            raise
        finally:
            self.opened.clear()
            self._outlet = None
            closed.cancel()

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """Return when all are confirmed; raises `PublishUnconfirmed` within `PUBLISH_TIMEOUT` seconds."""
        try:
            with library_cancellation_as_loss():
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    await self._publish(messages)
        except Exception as error:  # noqa: BLE001 - every failure means the same to the caller: not confirmed
            raise PublishUnconfirmed(_kind(error)) from None

    async def _publish(self, messages: Sequence[BusMessage]) -> None:
        outlet = self._outlet
        if outlet is None or outlet.channel.is_closed:
            raise BrokerLost("not connected")
        # While an alarm blocks the connection, waiting keeps the messages here. Sent ones would all arrive
        # when it clears, once for each time their publisher gave up.
        await underlay(outlet.connection).ready()
        if self._something_unroutable:
            await self._declare_again(outlet.channel)
            self._something_unroutable = False
        if len(messages) == 1:
            await self._send(outlet, messages[0])
            return
        waiting = iter(messages)
        async with asyncio.TaskGroup() as senders:
            for _ in range(min(len(messages), MAX_IN_FLIGHT)):
                senders.create_task(self._send_from(outlet, waiting))

    async def _declare_again(self, channel: AbstractChannel) -> None:
        try:
            await declare(channel, self._queues)
        except TopologyMismatch:
            # The session that comes next meets it too, and tells whoever watches.
            await close_quietly(channel)
            raise

    async def _send_from(self, outlet: _Outlet, waiting: Iterator[BusMessage]) -> None:
        # A task group takes a cancelled task for a finished one: the loss has to become an error in here.
        with library_cancellation_as_loss():
            for message in waiting:
                await self._send(outlet, message)

    async def _send(self, outlet: _Outlet, message: BusMessage) -> None:
        """Return on the broker's ack, and on nothing else: on this channel a nack and a return are raised."""
        exchange = await outlet.exchange(message.exchange)
        try:
            await exchange.publish(outgoing(message), message.routing_key, mandatory=True)
        except PublishError:
            self._something_unroutable = True
            raise


def _kind(error: Exception) -> str:
    # Types alone: the text of a returned message's error could hold what is in the message.
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return "no confirm in time" if isinstance(error, TimeoutError) else type(error).__name__
