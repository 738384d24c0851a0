"""One connection to RabbitMQ that is opened again whenever it is lost, by a task of its own.

Decision: aio-pika's plain objects, never its robust ones (10.2). A robust connection keeps its channels in a weak
set, so that one which only publishes may vanish; it restores them in no known order; and it cannot say whether a
consumer is really consuming, which is what readiness has to say. A session that starts from nothing can.

What the plain objects leave to us:
- A lost connection is not `closed()`: that waits for `close()` alone. The underlay's `closing` ends with a loss, too.
- `Connection.ready()` knows nothing of alarms; the underlay's does.
- Opening a channel takes no time limit.
- A channel that is closed leaves 4 kB behind until its connection ends. Hence nobody opens one just to ask something:
  every session asks on channels that it has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, UnderlayConnection
from yarl import URL

from shared.bus.topology import TopologyMismatch

T = TypeVar("T")

HEARTBEAT: Final = 10
"""Seconds; a silent broker is noticed after (heartbeat + 1) x 3 = 33 s."""

CONNECT_TIMEOUT: Final = 5.0
OPEN_TIMEOUT: Final = 5.0
PROBE_EVERY: Final = 4.0
"""Seconds between two questions to the broker whether it is still there."""

ANSWER_TIMEOUT: Final = 5.0
CLOSE_TIMEOUT: Final = 1.0
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 3.0
"""Seconds between tries. Short, so that consumers are back within 10 s of the broker."""

log = logging.getLogger("belltower.bus")


class BrokerLost(ConnectionError):
    """The broker went away, or does not answer."""


@contextmanager
def library_cancellation_as_loss() -> Iterator[None]:
    """Raise `BrokerLost` for a `CancelledError` that nobody asked for.

    When a connection is lost the library cancels whoever waits on it. A real cancellation of the running
    task goes through.
    """
    task = asyncio.current_task()
    asked_before = task.cancelling() if task else 0
    try:
        yield
    except asyncio.CancelledError:
        if task is None or task.cancelling() > asked_before:
            raise
        raise BrokerLost("the connection was lost") from None


async def close_quietly(closing: AbstractConnection | AbstractChannel) -> None:
    """Close, within `CLOSE_TIMEOUT`: a broker that does not answer shall not hold up the process."""
    with suppress(Exception), library_cancellation_as_loss():
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await closing.close()


def underlay(connection: AbstractConnection) -> UnderlayConnection:
    """What `connection` runs on. Raises `BrokerLost` once it was closed."""
    if connection.transport is None:
        raise BrokerLost("closed")
    return connection.transport


async def open_channel(connection: AbstractConnection, *, publishing: bool = False) -> AbstractChannel:
    """Open a channel within `OPEN_TIMEOUT`; one for publishing raises what is not confirmed or not routed."""
    async with asyncio.timeout(OPEN_TIMEOUT):
        return await connection.channel(publisher_confirms=publishing, on_return_raises=publishing)


def is_blocked(connection: AbstractConnection) -> bool:
    """Whether an alarm of the broker keeps this connection from being read, so that it answers nothing."""
    waiting = underlay(connection).ready().__await__()
    try:
        # Waits for nothing when there is no alarm, so one step tells.
        next(waiting)
    except StopIteration:
        return False
    waiting.close()
    return True


async def dropping_the_silent(connection: AbstractConnection, question: Coroutine[object, object, T]) -> T:
    """Return the answer to `question`; close the connection where none comes within `ANSWER_TIMEOUT`.

    Much earlier than the heartbeat would, so that readiness is honest. Raises what `question` raises, and
    `BrokerLost`.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            return await question
    except TimeoutError:
        if not is_blocked(connection):
            await close_quietly(connection)
        raise BrokerLost("no answer") from None


async def keep_alive(name: str, session: Callable[[], Awaitable[None]]) -> None:
    """Run `session` again whenever it ends, for ever. Raises `TopologyMismatch` only."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE
    while True:
        began = loop.time()
        try:
            with library_cancellation_as_loss():
                await session()
            reason = "closed"
        except TopologyMismatch:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the next try must come
            # The type alone: a message could hold the address.
            reason = type(error).__name__
        pause = FIRST_PAUSE if loop.time() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        log.warning("bus: %s lost (%s), again in %.1f s", name, reason, pause)
        await asyncio.sleep(pause)


class Link:
    """Holds one connection open; `connection` waits for it, `current` does not."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._url = URL(url).update_query(heartbeat=HEARTBEAT, name=name)
        self._connection: AbstractConnection | None = None
        self._up = asyncio.Event()

    @property
    def current(self) -> AbstractConnection | None:
        """The open connection, or None while there is none."""
        return self._connection if self._up.is_set() else None

    async def connection(self) -> AbstractConnection:
        """Wait for an open connection."""
        while (connection := self.current) is None:
            await self._up.wait()
        return connection

    async def run(self) -> None:
        """Connect, and connect again, for ever."""
        await keep_alive(self.name, self._session)

    async def _session(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            self._connection = connection = await aio_pika.connect(self._url)
        self._up.set()
        log.info("bus: %s connected", self.name)
        try:
            await asyncio.wait({underlay(connection).connection.closing})
        finally:
            self._up.clear()
        await close_quietly(connection)

    async def close(self) -> None:
        """Close the connection; `run` must have been cancelled before."""
        connection, self._connection = self._connection, None
        self._up.clear()
        if connection is not None:
            await close_quietly(connection)
