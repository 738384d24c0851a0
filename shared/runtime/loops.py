"""The tick loop that every background duty shares: run until idle, then sleep until woken or until it is time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from random import random
from typing import Final, TypeVar

import structlog

from shared.store.database import DatabaseAway, DatabaseError
from shared.store.trouble import is_unmigrated

log = structlog.get_logger()

T = TypeVar("T")

BACKOFF_FIRST: Final = 0.2
BACKOFF_MOST: Final = 2.0
"""Seconds between tries while the database is away; short, so that work goes on within seconds of its return."""

AWAY: Final = (DatabaseAway, *DatabaseError)

Tick = Callable[[], Awaitable[float]]
"""One pass of a duty; returns the seconds until the next is wanted, 0 where there is more to do at once."""


async def run_ticks(name: str, tick: Tick, *, stopping: asyncio.Event, wake: asyncio.Event | None = None) -> None:
    """Call `tick` until `stopping` is set; `wake` ends a sleep early. Outages of the database are waited out."""
    failures = 0
    while not stopping.is_set():
        if wake is not None:
            wake.clear()
        try:
            pause = await tick()
            failures = 0
        except AWAY as error:
            failures += 1
            pause = backoff(failures)
            log.warning(_event(error), loop=name, error=type(error).__name__, retry_in=round(pause, 2))
        await wait_any(pause, stopping, wake if failures == 0 else None)


def _event(error: Exception) -> str:
    return "database_not_migrated" if is_unmigrated(error) else "database_away"


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row, with jitter."""
    step = min(BACKOFF_FIRST * 2.0 ** min(failures - 1, 10), BACKOFF_MOST)
    return step * (0.9 + 0.2 * random())


async def wait_any(seconds: float, *events: asyncio.Event | None) -> None:
    """Return when one of `events` is set, or after `seconds`."""
    present = [event for event in events if event is not None]
    if seconds <= 0 or any(event.is_set() for event in present):
        await asyncio.sleep(0)
        return
    waits = [asyncio.ensure_future(event.wait()) for event in present]
    try:
        timeout = None if seconds == inf else seconds
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def patiently(work: Callable[[], Awaitable[T]], *, name: str) -> T:
    """Do `work`, again and again with backoff while the database is away. `work` must be safe to repeat."""
    failures = 0
    while True:
        try:
            return await work()
        except AWAY as error:
            failures += 1
            pause = backoff(failures)
            log.warning(_event(error), work=name, error=type(error).__name__, retry_in=round(pause, 2))
            await asyncio.sleep(pause)
