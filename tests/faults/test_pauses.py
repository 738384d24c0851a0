"""Processes that stand still and wake up believing that nothing happened: they are fenced off (R-07, R-12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.test_kills import twilio
from tests.rig.client import all_of
from tests.rig.house import QUICK
from tests.rig.processes import running
from tests.rig.receiver import Receiver
from tests.rig.sizes import pick
from tests.rig.trial import Trial

LEASE = float(QUICK["BELLTOWER_LEASE"])
Figure = Callable[[str], None]


async def _paused(own: Trial, environment: Mapping[str, str], folder: Path, *, sends: int, pauses: int) -> float:
    """Stop a dispatcher for twice its lease while it sends, so many times, with a scheduler and a webhook service."""
    own.provider.latency = (0.2, 1.0)
    settings = {
        **environment,
        "BELLTOWER_SEND_CONCURRENCY": "25",
        "BELLTOWER_WEBHOOK_LEASE": "3",
        "BELLTOWER_WEBHOOK_TIMEOUT": "2",
    }
    services = {"api": 1, "scheduler": 2, "dispatcher": 2, "webhooks": 2}
    async with running(services, settings, folder) as processes, Receiver.running() as receiver:
        own.client.targets = all_of(processes["api"])
        await own.endpoint(receiver)
        await own.seed(sends, due_in=1)
        for n in range(pauses):
            await own.until_called(sends // (3 * pauses))
            frozen = [processes[name][n % 2] for name in ("dispatcher", "scheduler", "webhooks")]
            for process in frozen:
                process.pause()
            await asyncio.sleep(2 * LEASE)
            for process in frozen:
                process.resume()
        calmed_at = datetime.now(UTC)
        return await own.check(calmed_at=calmed_at)


async def test_frozen_processes_double_nothing_at_a_provider_with_keys_r_07(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    sends, pauses = pick(300, 2_000), pick(1, 4)
    seconds = await _paused(own, environment, tmp_path, sends=sends, pauses=pauses)
    assert await own.ask("select count(*) from occurrences where state = 'sent'") == sends
    figure(
        f"R-07: {sends} sends, {pauses} × a dispatcher, a scheduler and a webhook service frozen "
        f"for {2 * LEASE:.0f} s: 0 lost, 0 twice, {len(own.calls) - sends} repeats absorbed by their key, "
        f"over {seconds:.1f} s later"
    )


async def test_a_late_answer_resolves_its_own_attempt_and_no_other_r_07(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    own.provider.honours_keys = False
    sends, pauses = pick(150, 2_000), pick(1, 4)
    seconds = await _paused(own, twilio(environment, own.provider.url), tmp_path, sends=sends, pauses=pauses)
    parked = await own.ask(
        "select count(distinct data ->> 'occurrence_id') from outbox where type = 'message.uncertain'"
    )
    left = await own.ask("select count(*) from occurrences where state = 'uncertain'")
    assert parked, "no send was frozen"
    assert left < parked, "no late answer resolved its attempt"
    figure(
        f"R-07: the same without keys: 0 twice, {parked} parked, {parked - left} of them resolved by their own late "
        f"answer, {left} left to be asked about, over {seconds:.1f} s later"
    )


async def test_a_loop_that_stalls_loses_no_lease_and_is_seen_r_12(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    sends, stall = pick(150, 1_000), 2.0
    own.provider.latency = (0.1, 0.5)
    longer = {
        "BELLTOWER_LEASE": str(3 * stall),
        "BELLTOWER_PROVIDER_TIMEOUT": str(2 * stall),
        "BELLTOWER_SEND_CONCURRENCY": "25",
    }
    async with running({"scheduler": 1, "dispatcher": 1}, environment | longer, tmp_path) as processes:
        dispatcher = processes["dispatcher"][0]
        await own.seed(sends, due_in=1)
        await own.until_called(sends // 4)
        dispatcher.pause()  # to its loop the same as a call that does not return
        await asyncio.sleep(stall)
        dispatcher.resume()
        await own.check()
        seen = await dispatcher.metrics()
        rescued = await processes["scheduler"][0].metrics()
    stalled = seen["belltower_loop_stalled_seconds_total"]
    assert stalled >= stall - 0.5, "it is looked at four times a second"
    assert not sum(value for name, value in rescued.items() if name.startswith("belltower_occurrences_rescued_total"))
    assert len(own.calls) == sends, "a send was made again"
    figure(f"R-12: a loop that stands still for {stall:.0f} s: the metric says {stalled:.1f} s, no lease was lost")
