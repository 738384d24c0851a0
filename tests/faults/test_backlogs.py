"""Large backlogs, by night: what has piled up is worked off in bounded memory and time (D-14, B-12)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from shared.store import occurrences
from tests.rig.bounds import bounded, p99
from tests.rig.processes import running
from tests.rig.sizes import nightly
from tests.rig.trial import Trial
from tests.rig.watch import watching

Figure = Callable[[str], None]


@nightly
async def test_a_million_finished_rows_do_not_slow_a_claim_d_14(own: Trial, figure: Figure) -> None:
    await own.seed(1_000_000, due_in=-7_200, name="old")
    await own.rows("""
        update occurrences set state = 'expired', ended_at = now(), reason = 'old' where state = 'scheduled'""")
    await own.rows("vacuum analyze occurrences")
    await own.seed(2_000, due_in=-1, name="due")
    took = []
    connection = await asyncpg.connect(own.dsn)
    try:
        for _ in range(100):
            began = time.perf_counter()
            await occurrences.claim_due(connection, now=datetime.now(UTC), limit=10, lease=timedelta(seconds=30))
            took.append(time.perf_counter() - began)
    finally:
        await connection.close()
    assert p99(took) <= 0.02
    figure(f"D-14: a claim beside 1,000,000 finished rows: p99 {p99(took) * 1000:.1f} ms")


@nightly
async def test_a_backlog_of_a_hundred_thousand_is_worked_off_in_bounded_memory_b_12(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    count = 100_000
    await own.seed(count, due_in=-1)
    began = time.monotonic()
    services = {"scheduler": 1, "dispatcher": 2}
    async with running(services, environment, tmp_path) as processes, watching(processes) as samples:
        await own.check(within=1_800)
    assert not list(bounded(samples))
    rate, most = count / (time.monotonic() - began), max(sample.megabytes for sample in samples)
    figure(f"B-12: a backlog of {count}: {rate:.0f} sends a second, largest process {most:.0f} MB")
