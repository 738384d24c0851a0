"""PostgreSQL is killed, stopped, silent or read-only: nothing that was accepted is lost, no request hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg
import pytest

from tests.rig.house import House, Trial
from tests.rig.sizes import pick

pytestmark = pytest.mark.asyncio(loop_scope="session")

Figure = Callable[[str], None]
BOUNDED = 8.0
"""Seconds that a request may take, whatever is away."""
BACK_WITHIN = 10.0


async def until_accepted(trial: Trial, *, within: float = BACK_WITHIN) -> float:
    """Seconds until a create is accepted again."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        for n in range(1_000_000):
            if (await trial.client.create(f"again-{began}-{n}", datetime.now(UTC))).promised:
                break
            await asyncio.sleep(0.1)
    return time.monotonic() - began


async def under_load(trial: Trial, fault: Callable[[], Awaitable[object]], **load: float) -> datetime:
    """Do `fault` while four callers create reminders; returns when it was over. They stop a second later."""
    calling = asyncio.create_task(trial.client.load("load", seconds=3_600, tries=1_000, **load))  # type: ignore[arg-type]
    try:
        await asyncio.sleep(0.5)
        await fault()
        calmed_at = datetime.now(UTC)
        await asyncio.sleep(1)
    finally:
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
    return calmed_at


async def test_every_backend_is_terminated_again_and_again_d_01(house: House, trial: Trial, figure: Figure) -> None:
    times = pick(5, 30)

    async def terminate() -> None:
        for _ in range(times):
            connection = await asyncpg.connect(house.dsn)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            )
            await connection.close()
            await asyncio.sleep(1)

    calmed_at = await under_load(trial, terminate)
    await until_accepted(trial)
    seconds = await trial.check(calmed_at=calmed_at)
    figure(
        f"D-01: {times} × every backend terminated, {trial.client.statuses()}: nothing lost, settled in {seconds:.1f} s"
    )
