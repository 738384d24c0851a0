"""SIGTERM drains: what is under way is finished and written, what was not begun is given back (R-08, R-09)."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from shared.store.database import Database
from tests.faults.conftest import schedule
from tests.rig.processes import running
from tests.rig.provider_server import ProviderServer


async def _under_way(provider: ProviderServer, calls: int) -> None:
    async with asyncio.timeout(15):
        while len(provider.calls) < calls:
            await asyncio.sleep(0.01)


async def test_a_dispatcher_that_is_told_to_stop_finishes_its_calls_and_gives_back_the_rest(
    db: Database, provider: ProviderServer, environment: dict[str, str], tmp_path: Path
) -> None:
    provider.latency = (1.0, 1.5)
    settings = environment | {"BELLTOWER_SEND_CONCURRENCY": "20", "BELLTOWER_LEASE": "60"}
    async with running({"scheduler": 1, "dispatcher": 1}, settings, tmp_path) as processes:
        await schedule(db, 100, due_in=0)
        await _under_way(provider, 10)
        started = time.monotonic()
        code = await processes["dispatcher"][0].stop()
        took = time.monotonic() - started
        async with db.connection() as connection:
            rows = await connection.fetch("select state, count(*) as n from occurrences group by state")
    states = {row["state"]: row["n"] for row in rows}
    assert code == 0
    assert took <= 15
    assert set(states) <= {"sent", "scheduled", "queued"}, "nothing is left in the air"
    assert states["sent"] == len(provider.messages) == len(provider.calls)


async def test_every_service_stops_within_its_time_and_says_nothing_of_destroyed_tasks(
    environment: dict[str, str], tmp_path: Path
) -> None:
    services = {"scheduler": 1, "dispatcher": 1}
    async with running(services, environment, tmp_path) as processes:
        for group in processes.values():
            assert await group[0].stop() == 0
            assert "was destroyed" not in group[0].log.read_text()
            assert "Traceback" not in group[0].log.read_text()


async def test_a_second_signal_leaves_at_once(
    db: Database, provider: ProviderServer, environment: dict[str, str], tmp_path: Path
) -> None:
    provider.latency = (1.9, 1.9)
    async with running({"scheduler": 1, "dispatcher": 1}, environment, tmp_path) as processes:
        dispatcher = processes["dispatcher"][0]
        await schedule(db, 30, due_in=0)
        await _under_way(provider, 10)
        dispatcher.signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await dispatcher.stop()
        assert time.monotonic() - started <= 2
