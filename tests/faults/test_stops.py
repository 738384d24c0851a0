"""SIGTERM drains: what is under way is finished and written, what was not begun is given back (R-08, R-09)."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.rig.client import Balancer
from tests.rig.processes import Process, running
from tests.rig.receiver import Receiver
from tests.rig.sizes import pick
from tests.rig.trial import Trial

Figure = Callable[[str], None]
ROUNDS = pick(2, 20)
STOPPED_WITHIN = 15.0


async def test_a_dispatcher_that_is_told_to_stop_finishes_its_calls_and_gives_back_the_rest(
    own: Trial, environment: dict[str, str], tmp_path: Path
) -> None:
    own.provider.latency = (1.0, 1.5)
    settings = environment | {"BELLTOWER_SEND_CONCURRENCY": "20", "BELLTOWER_LEASE": "60"}
    async with running({"scheduler": 1, "dispatcher": 1}, settings, tmp_path) as processes:
        await own.seed(100, due_in=0)
        await own.until_called(10)
        started = time.monotonic()
        code = await processes["dispatcher"][0].stop()
        took = time.monotonic() - started
        states = Counter(row.state for row in (await own.books()).rows.occurrences)
    assert code == 0
    assert took <= STOPPED_WITHIN
    assert set(states) <= {"sent", "scheduled", "queued"}, "nothing is left in the air"
    assert states["sent"] == len(own.provider.messages) == len(own.calls)


async def test_every_service_stops_within_its_time_and_says_nothing_of_destroyed_tasks(
    environment: dict[str, str], tmp_path: Path
) -> None:
    services = {"api": 1, "scheduler": 1, "dispatcher": 1, "webhooks": 1}
    async with running(services, environment, tmp_path) as processes:
        for group in processes.values():
            assert await group[0].stop() == 0
            _says_nothing_bad(group[0])


def _says_nothing_bad(process: Process) -> None:
    for word in ("was destroyed", "Traceback", "never awaited", '"critical"'):
        assert word not in process.log.read_text(), f"{process.service}: {word}"


async def test_a_second_signal_leaves_at_once_and_leases_heal_what_it_left_r_09(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    own.provider.latency = (1.9, 1.9)
    async with running({"scheduler": 1, "dispatcher": 1}, environment, tmp_path) as processes:
        dispatcher = processes["dispatcher"][0]
        await own.seed(30, due_in=0)
        await own.until_called(10)
        dispatcher.signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await dispatcher.stop()
        took = time.monotonic() - started
        assert took <= 2
        own.provider.latency = (0.0, 0.0)
        dispatcher.start()
        seconds = await own.check()
    figure(f"R-09: a second SIGTERM ends a dispatcher after {took:.2f} s; all sent {seconds:.1f} s after its return")


async def test_rolling_restarts_under_load_are_seen_by_no_caller_r_08(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    """Two of each; one of each is told to stop, started again and waited for, then the other."""
    own.provider.latency = (2.0, 2.0)
    settings = environment | {
        "BELLTOWER_READINESS_DELAY": "3",
        "BELLTOWER_LEASE": "30",
        "BELLTOWER_PROVIDER_TIMEOUT": "10",
    }
    services, took = {"api": 2, "scheduler": 2, "dispatcher": 2, "webhooks": 2}, []
    async with running(services, settings, tmp_path) as processes, Receiver.running() as receiver:
        async with Balancer(processes["api"]).watching() as balancer:
            own.client.targets = balancer
            await own.endpoint(receiver)
            async with own.loaded(callers=4):
                for turn in range(ROUNDS):
                    took += await asyncio.gather(*(_restart(group[turn % 2]) for group in processes.values()))
            seconds = await own.check()
        for group in processes.values():
            for process in group:
                _says_nothing_bad(process)
    assert set(own.client.statuses()) == {201}, "a caller saw a restart"
    assert await own.ask("select count(*) from attempts where outcome = 'unknown'") == 0
    assert len(own.calls) == own.client.statuses()[201]
    figure(
        f"R-08: {ROUNDS} rolling restarts of all services under load, two of each: {own.client.statuses()[201]} "
        f"creates, all 201, 0 uncertain, 0 repeats, slowest request {own.client.slowest:.2f} s, slowest stop "
        f"{max(took):.1f} s, settled in {seconds:.1f} s"
    )


async def _restart(process: Process) -> float:
    """Seconds that the stop took."""
    began = time.monotonic()
    code = await process.stop()
    took = time.monotonic() - began
    assert code == 0, process.log.read_text()[-2000:]
    assert took <= STOPPED_WITHIN
    await process.start().ready()
    await asyncio.sleep(0.6)  # the balancer looks twice a second
    return took
