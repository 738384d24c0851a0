"""One process: opens what its services need, runs them until told to stop, drains, closes. Exit 0 only then."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog

from shared.bus.bus import Bus, Queue
from shared.bus.memory import MemoryBus
from shared.bus.rabbit import RabbitBus
from shared.runtime import metrics
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.ops import serve_ops
from shared.runtime.relay import run_relay
from shared.runtime.runtime import Runtime
from shared.runtime.settings import NEEDS_BROKER, NEEDS_DATABASE, BadSettings, Settings
from shared.store.database import Database

log = structlog.get_logger()

LAST_EVENTS: Final = 1.0
"""Seconds for the events that were written last; what is not published then stays in the outbox for the next start."""

Service = Callable[[Runtime], Awaitable[None]]
Started = Callable[[Runtime], Awaitable[None]]


async def run_services(
    settings: Settings, services: Mapping[str, Service], *, whole: bool, started: Started | None = None
) -> None:
    """Run `services` in this process until SIGTERM or SIGINT, or until one of them fails.

    `whole`: all four are here, so that the memory bus loses nothing. `started` is called beside them, once.
    Raises `BadSettings`, and whatever a service raised.
    """
    if not whole and settings.on_memory_bus:
        raise BadSettings(NEEDS_BROKER)
    async with _open(settings, name="+".join(services)) as runtime:
        _stop_on_signals(runtime)
        async with serve_ops(runtime):
            relay = asyncio.create_task(run_relay(runtime), name="relay")
            try:
                await _run_all(runtime, services, relay, started)
            finally:
                runtime.drained.set()
                await asyncio.wait([relay], timeout=LAST_EVENTS)
                relay.cancel()
            if relay.done():
                relay.result()  # a relay that failed has stopped the services: the process must not end as if told to
            log.info("stopped")


async def _run_all(
    runtime: Runtime, services: Mapping[str, Service], relay: asyncio.Task[None], started: Started | None
) -> None:
    """Wait until every service has returned; the failure of one stops them all."""
    relay.add_done_callback(lambda _: runtime.stopping.set())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_named(service, runtime), name=name) for name, service in services.items()]
        beside = [group.create_task(runtime.bus.watch(), name="bus")]
        if started is not None:
            beside.append(group.create_task(_named(started, runtime), name="started"))
        await asyncio.wait(tasks)
        for task in beside:
            task.cancel()


async def _named(service: Service, runtime: Runtime) -> None:
    await service(runtime)


def _stop_on_signals(runtime: Runtime) -> None:
    """The first signal drains; a second one leaves at once, and leases heal what was under way."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def stop() -> None:
        if runtime.stopping.is_set() and main is not None:
            main.cancel()
        log.info("stopping")
        runtime.stopping.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)


@asynccontextmanager
async def _open(settings: Settings, *, name: str) -> AsyncIterator[Runtime]:
    if settings.database_url is None:
        raise BadSettings(NEEDS_DATABASE)
    db = await Database.open(settings.database_url.get_secret_value(), size=settings.pool_size, name=name)
    try:
        bus = await _open_bus(settings, db, name)
        try:
            yield Runtime(settings=settings, db=db, bus=bus)
        finally:
            await bus.close()
    finally:
        await db.close()


def _count_dead(queue: Queue) -> None:
    metrics.DEAD.labels(queue.name).inc()


async def _open_bus(settings: Settings, db: Database, name: str) -> Bus:
    if settings.on_memory_bus:
        return MemoryBus(DeadLetterTable(db), on_dead=_count_dead)
    bus = RabbitBus(settings.bus_url.get_secret_value(), name=name, on_dead=_count_dead)
    await bus.start()
    return bus
