"""Watches the size of processes while a test runs, for the invariant I8."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import psutil

from tests.rig.bounds import Sample
from tests.rig.processes import Process


@asynccontextmanager
async def watching(processes: Mapping[str, Sequence[Process]], *, every: float = 0.5) -> AsyncIterator[list[Sample]]:
    """A list that fills while the block runs; each life of a process counts on its own."""
    samples: list[Sample] = []
    began = time.monotonic()

    def look() -> None:
        for group in processes.values():
            for process in group:
                with suppress(psutil.Error, OSError):
                    samples.append(_sample(process, time.monotonic() - began))

    task = asyncio.create_task(_again(look, every))
    try:
        yield samples
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        look()


async def _again(look: Callable[[], None], every: float) -> None:
    while True:
        look()
        await asyncio.sleep(every)


def _sample(process: Process, at: float) -> Sample:
    found = psutil.Process(process.pid)
    with found.oneshot():
        name = f"{process.log.stem} {process.pid}"
        return Sample(name, at, found.memory_info().rss / 2**20, found.num_fds())
