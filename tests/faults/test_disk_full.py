"""A disk that is full: writes are refused for now, reads go on, nothing that was accepted is lost (D-08)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.store.migrate import migrate
from tests.rig.client import all_of
from tests.rig.house import House
from tests.rig.invariants import no_acked_loss
from tests.rig.postgres import private_postgres
from tests.rig.sizes import needs_root, pick
from tests.rig.trial import trial_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), needs_root]

BACK_WITHIN = 10.0
SMALL_WAL = {"max_wal_size": "64MB", "min_wal_size": "32MB"}


async def test_a_full_disk_refuses_writes_and_loses_nothing_d_08(house: House, figure: Callable[[str], None]) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with private_postgres(durable=True, room=220, settings=SMALL_WAL) as server:
        await migrate(server.dsn())
        api = house.another("api", DATABASE_URL=server.dsn())
        try:
            await api.start().ready()
            async with trial_in(server.dsn(), house.provider, all_of([api])) as trial:
                assert (await trial.client.create("before", later)).promised
                ballast = await asyncio.to_thread(server.fill_the_disk)
                until, n = time.monotonic() + pick(4, 20), 0
                while time.monotonic() < until or 503 not in trial.client.statuses("create"):
                    n += 1
                    await trial.client.create(f"full {n}" + "x" * 200, later)
                    assert n < 50_000, "the disk is not full"
                read = await trial.client.read("before")
                await asyncio.to_thread(ballast.unlink)
                if not server.cluster.is_running():
                    await asyncio.to_thread(server.start)
                back = await trial.until_accepted(within=BACK_WITHIN)
                assert read.status in {200, 503}
                assert set(trial.client.statuses("create")) <= {201, 503}
                books = await trial.books()
                assert not list(no_acked_loss(books))
        finally:
            await api.stop()
    answers = trial.client.statuses("create")
    figure(f"D-08: the disk full: creates answered {answers}, a read {read.status}, accepted again after {back:.1f} s")
