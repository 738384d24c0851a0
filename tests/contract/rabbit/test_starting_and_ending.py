"""Before the broker is there, and when nobody answers any more."""

from __future__ import annotations

import asyncio
import logging
from uuid import uuid4

import pytest
from contract.bus_tools import FACTS, JOBS, QUEUES, Recorder, eventually, job
from contract.rabbit.tools import end
from yarl import URL

from rig.ports import new_port
from rig.proxy import Mode, Proxy
from shared.bus.bus import EVENTS, BusMessage, PublishUnconfirmed
from shared.bus.rabbit import RabbitBus


async def test_a_bus_starts_before_its_broker(url: str) -> None:
    port = new_port()
    bus = RabbitBus(str(URL(url).with_port(port)), queues=QUEUES)
    await bus.start()
    jobs = Recorder()
    await bus.consume(JOBS, jobs)
    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job()])
    assert not bus.ready()

    async with Proxy(URL(url).port or 5672, port):
        await eventually(bus.ready)
        await bus.publish([job()])
        await eventually(lambda: len(jobs.finished) == 1)
        await end(bus)


async def test_the_password_is_in_no_log_and_in_no_error(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for port in (new_port(), URL(url).port):
        bus = RabbitBus(str(URL(url).with_password("hush-hush").with_port(port)), queues=QUEUES)
        await bus.start()
        await eventually(lambda: "again in" in caplog.text)
        with pytest.raises(PublishUnconfirmed) as refused:
            await bus.publish([BusMessage(EVENTS, "a.b", uuid4(), b"")])
        await bus.close()
        assert "hush" not in caplog.text + repr(refused.value) + repr(bus)
        caplog.clear()


async def test_closing_in_a_blackhole_does_not_take_long(far_bus: RabbitBus, proxy: Proxy) -> None:
    await far_bus.consume(FACTS, Recorder())
    await eventually(far_bus.ready)
    await proxy.set(Mode.BLACKHOLE)

    async with asyncio.timeout(5):
        await end(far_bus)
