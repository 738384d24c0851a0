"""Gives dead letters of the memory bus back when `belltower admin dead-letters replay` asks for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from shared.bus.bus import QUEUES, PublishUnconfirmed
from shared.runtime.loops import AWAY, wait_any
from shared.runtime.runtime import Runtime
from shared.store import replays

log = structlog.get_logger()

_LISTEN_AGAIN: Final = 2.0


async def run(runtime: Runtime) -> None:
    """Listen until the process stops; only the process that has the bus in its memory can do this."""
    while not runtime.stopping.is_set():
        with suppress(*AWAY):
            await _listen_once(runtime)
        await wait_any(_LISTEN_AGAIN, runtime.stopping)


async def _listen_once(runtime: Runtime) -> None:
    closed = asyncio.Event()
    connection = await runtime.db.dedicated()
    replaying: set[asyncio.Task[None]] = set()

    def asked(queue: str, limit: int) -> None:
        task = asyncio.create_task(_replay(runtime, queue, limit))
        replaying.add(task)
        task.add_done_callback(replaying.discard)

    try:
        connection.add_termination_listener(lambda _: closed.set())
        await replays.listen(connection, asked)
        await wait_any(float("inf"), runtime.stopping, closed)
    finally:
        for task in set(replaying):
            task.cancel()
        with suppress(*AWAY):
            await connection.close(timeout=2)


async def _replay(runtime: Runtime, name: str, limit: int) -> None:
    for queue in QUEUES:
        if queue.name == name:
            try:
                replayed = await runtime.bus.replay_dead_letters(queue, limit=limit)
            except (PublishUnconfirmed, *AWAY) as error:
                log.warning("replay_stopped", queue=name, error=type(error).__name__)
            else:
                log.info("replayed", queue=name, letters=replayed)
