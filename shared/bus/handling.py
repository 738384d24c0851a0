"""Running handlers: tries, and tasks that outlive what delivered their message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

from shared.bus.bus import BusMessage, Handler, Undeliverable

PAUSES: Final = (0.1, 0.5)
"""Seconds before the second and the third try of a handler that raised."""

LONGEST_REASON: Final = 500

log = logging.getLogger("belltower.bus")


async def handle(handler: Handler, message: BusMessage) -> str | None:
    """Give `message` to `handler`, three times at most; returns None, or why the message is dead.

    `Undeliverable` is not tried again.
    """
    reason: str | None = None
    for pause in (0.0, *PAUSES):
        if pause:
            await asyncio.sleep(pause)
        try:
            reason = await _try_once(handler, message)
        except Undeliverable as refusal:
            return str(refusal)[:LONGEST_REASON] or "undeliverable"
        if reason is None:
            return None
        log.warning("bus: handler of %s raised %s", message.routing_key, reason)
    return reason


async def _try_once(handler: Handler, message: BusMessage) -> str | None:
    task = asyncio.current_task()
    try:
        await handler(message)
    except Undeliverable:
        raise
    except asyncio.CancelledError as error:
        if task is None or task.cancelling():
            raise
        # A client library cancelled its own waiting: for the message that is an error like any other.
        return type(error).__name__
    except Exception as error:  # noqa: BLE001 - any bug of a handler must end in a dead letter, not in a loop
        # The type alone: the text of an exception could hold what is in the message.
        return type(error).__name__
    return None


class Running:
    """The tasks of handlers, held by strong references until they end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run `work` in a task that nothing but `drain` cancels."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("bus: a delivery ended with %s", type(error).__name__)

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for the running tasks, then cancel those that are left."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            log.warning("bus: %d handlers cancelled after %.1f s", len(late), seconds)
            await asyncio.wait(late, timeout=1)
