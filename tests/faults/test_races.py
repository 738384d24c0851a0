"""Cancel against due: whoever is told `prevented` hears of no call afterwards, and each answer is true (I6)."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.rig.client import all_of
from tests.rig.processes import running
from tests.rig.sizes import pick
from tests.rig.trial import Trial

Figure = Callable[[str], None]
RACES, A_SECOND, AT_ONCE = pick(1_000, 100_000), 100, 16
BATCH = 3_000
_DUE = """
    select r.external_id, o.scheduled_for from reminders r join occurrences o on o.reminder_id = r.id
    where r.account_id = $1 and r.external_id like $2"""


async def test_a_cancel_that_races_its_due_time_is_answered_with_the_truth(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    own.provider.latency = (0.0, 0.15)
    async with running({"api": 1, "scheduler": 1, "dispatcher": 1}, environment, tmp_path) as processes:
        own.client.targets = all_of(processes["api"])
        for first in range(0, RACES, BATCH):
            await _race(own, f"batch {first}", min(BATCH, RACES - first))
        await own.check()
    outcomes = Counter(one.outcome for one in own.client.log if one.promised)
    assert set(own.client.statuses()) <= {200, 503}, "a busy API says so, and is asked again"
    assert outcomes.total() == RACES
    assert set(outcomes) == {"prevented", "in_flight", "already_sent"}, "the race was never close"
    states = Counter(row.state for row in (await own.books()).rows.occurrences)
    assert states["cancelled"] == outcomes["prevented"]
    figure(f"I6: {RACES} races of a cancel against its due time: {dict(outcomes)}, 0 calls after `prevented`")


async def _race(own: Trial, name: str, count: int) -> None:
    """Ask for each cancel around the instant at which its send falls due, now before and now after."""
    over, dice = count / A_SECOND, random.Random(name)
    await own.seed(count, due_in=2, over=over, name=name)
    few = asyncio.Semaphore(AT_ONCE)
    rows = await own.rows(_DUE, own.account_id, f"{name} %")

    async def cancel(external_id: str, due: datetime) -> None:
        at = due + timedelta(seconds=dice.uniform(-0.8, 0.1))
        await asyncio.sleep((at - datetime.now(UTC)).total_seconds())
        async with few:
            await own.client.cancel(external_id, tries=50)

    async with asyncio.TaskGroup() as group:
        for external_id, due in rows:
            group.create_task(cancel(external_id, due))
