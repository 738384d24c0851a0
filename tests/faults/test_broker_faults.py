"""RabbitMQ is killed, stopped, silent, full or holds poison: no accepted reminder and no confirmed event is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.rig.bounds import bounded
from tests.rig.house import House
from tests.rig.listener import listening
from tests.rig.proxy import Mode
from tests.rig.receiver import Receiver
from tests.rig.sizes import pick
from tests.rig.trial import Trial
from tests.rig.watch import watching

pytestmark = pytest.mark.asyncio(loop_scope="session")

Figure = Callable[[str], None]
BACK_WITHIN = 10.0
BOUNDED = 8.0


def nothing_was_refused(trial: Trial) -> None:
    """The API needs no broker: every answer is a yes, and soon."""
    assert set(trial.client.statuses("create")) == {201}
    assert trial.client.slowest <= BOUNDED


async def test_the_broker_stops_and_starts_under_load_b_01(house: House, trial: Trial, figure: Figure) -> None:
    before, back = house.pids, []
    async with trial.loaded():
        for _ in range(pick(1, 5)):
            await house.ctl("stop_app")
            await house.ctl("start_app")
            back.append(await house.ready(within=BACK_WITHIN))
        calmed_at = datetime.now(UTC)
    seconds = await trial.check(calmed_at=calmed_at)
    nothing_was_refused(trial)
    assert house.pids == before
    figure(f"B-01: {len(back)} × stop and start: ready again in {max(back):.1f} s, settled in {seconds:.1f} s")


async def test_the_broker_is_killed_under_load_and_no_event_is_lost_b_02(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, kills, back = house.pids, pick(2, 5), []
    async with Receiver.running() as receiver, listening(house.bus_url) as heard:
        trial.heard = heard
        await trial.endpoint(receiver)
        await asyncio.to_thread(house.node.settle)
        async with trial.loaded():
            for _ in range(kills):
                await asyncio.sleep(1)
                await asyncio.to_thread(house.node.kill)
                await asyncio.to_thread(house.node.start)
                back.append(await house.ready(within=BACK_WITHIN))
            calmed_at = datetime.now(UTC)
        await trial.until_heard()
        seconds = await trial.check(calmed_at=calmed_at)
    nothing_was_refused(trial)
    assert house.pids == before
    accepted, repeats = trial.client.statuses()[201], trial.heard_twice
    figure(
        f"B-02: {kills} × kill -9 of RabbitMQ, {accepted} reminders accepted: 0 lost, 0 of {len(heard) - repeats} "
        f"events lost, {repeats} heard twice, all ready {max(back):.1f} s after it, settled in {seconds:.1f} s"
    )


async def test_without_a_broker_the_api_goes_on_and_the_backlog_drains_b_03(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, away = house.pids, pick(5.0, 60.0)
    async with watching(house.processes) as samples:
        async with trial.loaded():
            await asyncio.to_thread(house.node.kill)
            await asyncio.sleep(away)
        backlog = await trial.ask("select count(*) from outbox where published_at is null")
        await asyncio.to_thread(house.node.start)
        calmed_at = datetime.now(UTC)
        drained = await trial.check(calmed_at=calmed_at, within=30)
    nothing_was_refused(trial)
    assert house.pids == before
    assert not list(bounded(samples))
    most = max(sample.megabytes for sample in samples)
    figure(
        f"B-03: no broker for {away:.0f} s: {trial.client.statuses()[201]} creates, all 201, {backlog} events waited "
        f"and were out after {drained:.1f} s, largest process {most:.0f} MB"
    )


@pytest.mark.parametrize("alarm", ["memory", "disk"])
async def test_under_an_alarm_publishers_wait_and_nothing_is_published_twice_b_04(
    house: House, trial: Trial, figure: Figure, alarm: str
) -> None:
    raised = {"memory": ("set_vm_memory_high_watermark", "0.000001"), "disk": ("set_disk_free_limit", "9999GB")}
    cleared = {"memory": ("set_vm_memory_high_watermark", "0.4"), "disk": ("set_disk_free_limit", "50MB")}
    before = house.pids
    async with listening(house.bus_url) as heard:
        trial.heard = heard
        async with trial.loaded(callers=2):
            await house.ctl(*raised[alarm])
            try:
                await asyncio.sleep(pick(3, 20))
            finally:
                await house.ctl(*cleared[alarm])
            calmed_at = datetime.now(UTC)
        await trial.until_heard()
        seconds = await trial.check(calmed_at=calmed_at)
    nothing_was_refused(trial)
    assert house.pids == before
    repeats = trial.heard_twice
    assert repeats <= 500, "a storm of republished events"
    figure(f"B-04: {alarm} alarm: 0 of {len(heard)} events lost, {repeats} twice, settled in {seconds:.1f} s")


async def test_a_silent_network_to_the_broker_is_noticed_b_05(house: House, trial: Trial, figure: Figure) -> None:
    before, silence = house.pids, pick(15.0, 60.0)
    async with trial.loaded(callers=2):
        began = time.monotonic()
        await house.to_rabbit.set(Mode.BLACKHOLE)
        noticed = await house.until_red(within=35)
        await asyncio.sleep(max(0.0, silence - (time.monotonic() - began)))
        await house.to_rabbit.set(Mode.PASS)
        back = await house.ready(within=35)
        calmed_at = datetime.now(UTC)
    seconds = await trial.check(calmed_at=calmed_at)
    nothing_was_refused(trial)
    assert house.pids == before
    figure(
        f"B-05: {silence:.0f} s blackhole before RabbitMQ: noticed after {noticed:.1f} s, no request over "
        f"{trial.client.slowest:.1f} s, ready {back:.1f} s after it, settled in {seconds:.1f} s"
    )


async def test_lost_confirms_make_repeats_and_no_loss_b_06(house: House, trial: Trial, figure: Figure) -> None:
    async with Receiver.running() as receiver, listening(house.bus_url) as heard:
        trial.heard = heard
        await trial.endpoint(receiver)
        async with trial.loaded(callers=2):
            await house.to_rabbit.set(Mode.DROP_REPLY)
            await asyncio.sleep(pick(6, 20))
            await house.to_rabbit.set(Mode.PASS)
            await house.ready(within=35)
            calmed_at = datetime.now(UTC)
        await trial.until_heard()
        seconds = await trial.check(calmed_at=calmed_at)
    nothing_was_refused(trial)
    repeats = trial.heard_twice
    assert repeats, "no confirm was lost"
    figure(f"B-06: confirms lost: 0 events lost, {repeats} twice, one delivery each, settled in {seconds:.1f} s")
