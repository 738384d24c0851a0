"""Publishing with confirms over one link: it returns when the broker has everything, or raises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, cast

from aiormq import Channel, spec
from aiormq.abc import AbstractConnection
from aiormq.exceptions import PublishError

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
)
from shared.bus.topology import TopologyMismatch, declare
from shared.bus.wire import properties

MAX_IN_FLIGHT: Final = 256
"""Unconfirmed messages of one call. More does not go faster, it only fills buffers."""

OPEN_TIMEOUT: Final = 5.0


class Publisher:
    """One channel with confirms, opened again whenever the broker closes it."""

    def __init__(self, link: Link, queues: Sequence[Queue]) -> None:
        self._link = link
        self._queues = queues
        self._channel: Channel | None = None
        self._something_unroutable = False
        self.opened = asyncio.Event()
        """Set while there is a channel to publish on."""

    @property
    def ready(self) -> bool:
        """Whether a publish may succeed now."""
        channel = self._channel
        return channel is not None and not channel.is_closed

    async def run(self) -> None:
        """Keep the channel open, for ever. Raises `TopologyMismatch`."""
        await keep_alive(f"{self._link.name} channel", self._session)

    async def _session(self) -> None:
        connection = await self._link.connection()
        await declare(connection, self._queues)
        opened = await connection.channel(publisher_confirms=True, on_return_raises=True, timeout=OPEN_TIMEOUT)
        self._channel = channel = cast("Channel", opened)
        self.opened.set()
        try:
            while True:
                await asyncio.wait({channel.closing}, timeout=PROBE_EVERY)
                if channel.is_closed:
                    return
                if not is_blocked(connection):
                    await dropping_the_silent(connection, _probe(connection))
        except BrokerLost:
            # An alarm in the middle of the question leaves the connection open, and this channel with it.
            await close_quietly(channel)
            raise
        finally:
            self.opened.clear()
            self._channel = None

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """Return when all are confirmed; raises `PublishUnconfirmed` within `PUBLISH_TIMEOUT` seconds."""
        try:
            with library_cancellation_as_loss():
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    await self._publish(messages)
        except Exception as error:  # noqa: BLE001 - every failure means the same to the caller: not confirmed
            raise PublishUnconfirmed(_kind(error)) from None

    async def _publish(self, messages: Sequence[BusMessage]) -> None:
        channel = self._channel
        if channel is None or channel.is_closed:
            raise BrokerLost("not connected")
        # While an alarm blocks the connection, waiting keeps the messages here. Sent ones would all arrive
        # when it clears, once for each time their publisher gave up.
        await channel.connection.ready()
        if self._something_unroutable:
            await self._declare_again(channel)
            self._something_unroutable = False
        if len(messages) == 1:
            await self._send(channel, messages[0])
            return
        waiting = iter(messages)
        async with asyncio.TaskGroup() as senders:
            for _ in range(min(len(messages), MAX_IN_FLIGHT)):
                senders.create_task(self._send_from(channel, waiting))

    async def _declare_again(self, channel: Channel) -> None:
        try:
            await declare(channel.connection, self._queues)
        except TopologyMismatch:
            # The session that comes next meets it too, and tells whoever watches.
            await close_quietly(channel)
            raise

    async def _send_from(self, channel: Channel, waiting: Iterator[BusMessage]) -> None:
        # A task group takes a cancelled task for a finished one: the loss has to become an error in here.
        with library_cancellation_as_loss():
            for message in waiting:
                await self._send(channel, message)

    async def _send(self, channel: Channel, message: BusMessage) -> None:
        try:
            confirmed = await channel.basic_publish(
                message.body,
                exchange=message.exchange,
                routing_key=message.routing_key,
                properties=properties(message),
                mandatory=True,
                # Confirms are what counts; waiting for the socket too would hold the channel's lock.
                wait=False,
            )
        except PublishError:
            self._something_unroutable = True
            raise
        if not isinstance(confirmed, spec.Basic.Ack):
            raise BrokerLost("refused")


async def _probe(connection: AbstractConnection) -> None:
    await close_quietly(await connection.channel(publisher_confirms=False))


def _kind(error: Exception) -> str:
    # Types alone: the text of a returned message's error could hold what is in the message.
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return "no confirm in time" if isinstance(error, TimeoutError) else type(error).__name__
