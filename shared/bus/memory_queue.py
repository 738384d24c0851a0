"""One queue of the memory bus: a bounded line, and as many workers as the queue's prefetch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.bus.bus import COMMANDS, BusMessage, Handler, PublishUnconfirmed, Queue
from shared.bus.handling import Running, handle

BURY_PAUSE: Final = 1.0
"""Seconds between two tries to save a dead letter, while the store is away."""

Bury = Callable[[Queue, BusMessage, str], Awaitable[None]]

log = logging.getLogger("belltower.bus")


@dataclass(frozen=True, slots=True)
class _Item:
    message: BusMessage
    handled: asyncio.Future[bool]
    """True when the handler took it, False when it became a dead letter; cancelled when given up."""


class MemoryQueue:
    """Holds messages until workers take them; every message's end is a future of its publisher's."""

    def __init__(self, queue: Queue, length: int, bury: Bury) -> None:
        self.queue = queue
        self._bury = bury
        self._waiting: asyncio.Queue[_Item] = asyncio.Queue(maxsize=length)
        self._workers: list[asyncio.Task[None]] = []
        self._running = Running()
        self.stopped = False
        """Whether `stop` came after the last `start`."""

    @property
    def consuming(self) -> bool:
        """Whether workers take messages."""
        return bool(self._workers)

    async def put(self, message: BusMessage) -> asyncio.Future[bool]:
        """Wait for a place, and return the future of how the message ends."""
        handled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        await self._waiting.put(_Item(message, handled))
        return handled

    def start(self, handler: Handler) -> None:
        """Take messages from now on, `prefetch` at a time."""
        self.stopped = False
        self._workers += [asyncio.create_task(self._work(handler)) for _ in range(self.queue.prefetch)]

    async def _work(self, handler: Handler) -> None:
        while True:
            item = await self._waiting.get()
            if item.handled.cancelled():
                continue
            # In a task of its own, so that stopping the worker leaves the handler to the drain.
            await asyncio.wait({self._running.spawn(self._deliver(handler, item))})

    async def _deliver(self, handler: Handler, item: _Item) -> None:
        try:
            reason = await handle(handler, item.message)
            if reason is not None:
                await self._bury_at_last(item.message, reason)
        except BaseException:
            _give_up(item)
            raise
        if not item.handled.done():
            item.handled.set_result(reason is None)

    async def _bury_at_last(self, message: BusMessage, reason: str) -> None:
        while True:
            try:
                await self._bury(self.queue, message, reason)
            except Exception as error:  # noqa: BLE001 - until the store is back the message must stay here
                log.warning("bus: dead letter of %s not saved: %s", self.queue.name, type(error).__name__)
                await asyncio.sleep(BURY_PAUSE)
            else:
                return

    async def stop(self, drain: float) -> None:
        """Take no more, wait `drain` seconds for running handlers, and tell waiting publishers."""
        self.stopped = True
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.cancel()
        if workers:
            await asyncio.wait(workers)
        await self._running.drain(drain)
        if self.queue.exchange != COMMANDS:
            while not self._waiting.empty():
                _give_up(self._waiting.get_nowait())


def _give_up(item: _Item) -> None:
    if not item.handled.done():
        item.handled.set_exception(PublishUnconfirmed("stopped before it was handled"))
        # Read once: the publisher of a command does not look.
        item.handled.exception()
