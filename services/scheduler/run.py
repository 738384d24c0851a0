"""The scheduler as a service: claims, rescues, housekeeping, the sentinel, and an ear for notifications."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from services.scheduler.housekeeping import housekeep
from services.scheduler.scheduler import Scheduler
from services.scheduler.sentinel import Sentinel
from shared.runtime.loops import AWAY, backoff, run_ticks, wait_any
from shared.runtime.runtime import Runtime
from shared.store import occurrences

log = structlog.get_logger()

_CLOSE_TIMEOUT: Final = 2.0


async def run(runtime: Runtime) -> None:
    """Ring what is due until the process stops."""
    scheduler, wake = Scheduler(runtime), asyncio.Event()
    runtime.checks["broker"] = runtime.bus.ready
    async with asyncio.TaskGroup() as group:
        group.create_task(runtime.db.warm())
        group.create_task(run_ticks("scheduler", scheduler.tick, stopping=runtime.stopping, wake=wake))
        group.create_task(run_ticks("rescue", scheduler.rescue, stopping=runtime.stopping))
        group.create_task(run_ticks("housekeeping", lambda: housekeep(runtime.db), stopping=runtime.stopping))
        group.create_task(run_ticks("sentinel", Sentinel(runtime).tick, stopping=runtime.stopping))
        group.create_task(_listen(runtime, wake))


async def _listen(runtime: Runtime, wake: asyncio.Event) -> None:
    """Wake the scheduler for what falls due within two seconds. The ear may fail: polling stays the truth."""
    failures = 0
    while not runtime.stopping.is_set():
        try:
            await _listen_once(runtime, wake)
            failures = 0
        except AWAY as error:
            failures += 1
            log.warning("notifications_away", error=type(error).__name__)
        await wait_any(backoff(max(failures, 1)), runtime.stopping)


async def _listen_once(runtime: Runtime, wake: asyncio.Event) -> None:
    closed = asyncio.Event()
    connection = await runtime.db.dedicated()
    try:
        connection.add_termination_listener(lambda _: closed.set())
        await occurrences.listen_for_due(connection, wake.set)
        wake.set()
        await wait_any(float("inf"), runtime.stopping, closed)
    finally:
        with suppress(*AWAY):
            await connection.close(timeout=_CLOSE_TIMEOUT)
