"""A publish is confirmed, or it says so in time, whatever the broker and the network do."""

from __future__ import annotations

import asyncio
import time

import pytest
from aio_pika.abc import AbstractChannel
from contract.bus_tools import JOBS, eventually, job
from contract.rabbit.tools import consuming, ctl, published_at_last
from yarl import URL

from rig.proxy import Mode, Proxy
from rig.rabbitmq import RabbitNode
from shared.bus.bus import COMMANDS, PublishUnconfirmed
from shared.bus.rabbit import RabbitBus


async def test_a_deleted_queue_is_noticed_and_made_again_for_the_next_publish(
    bus: RabbitBus, channel: AbstractChannel
) -> None:
    await channel.queue_delete(JOBS.name)

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job()])
    await bus.publish([job()])


async def test_a_removed_binding_is_noticed_and_made_again(bus: RabbitBus, channel: AbstractChannel) -> None:
    await (await channel.get_queue(JOBS.name)).unbind(COMMANDS, JOBS.binding)

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job() for _ in range(5)])
    # A busy broker may take longer than one deadline over a queue that it has only just made.
    await published_at_last(bus, job())


async def test_a_deleted_exchange_is_made_again(bus: RabbitBus, channel: AbstractChannel) -> None:
    await channel.exchange_delete(COMMANDS)

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job() for _ in range(5)])
    await published_at_last(bus, job())


async def test_a_full_queue_refuses_and_the_publisher_is_told(bus: RabbitBus, node: RabbitNode, url: str) -> None:
    vhost = URL(url).path[1:]
    await ctl(node, "set_policy", "-p", vhost, "short", "^test.jobs$", '{"max-length":1}', "--apply-to", "queues")

    # The limit of a quorum queue is soft: some more get in before it refuses.
    async with asyncio.timeout(10):
        with pytest.raises(PublishUnconfirmed):
            await publish_without_end(bus)


async def publish_without_end(bus: RabbitBus) -> None:
    while True:
        await bus.publish([job()])


async def test_a_publish_into_a_blackhole_ends_unconfirmed_within_six_seconds(far_bus: RabbitBus, proxy: Proxy) -> None:
    await proxy.set(Mode.BLACKHOLE)
    began = time.monotonic()

    with pytest.raises(PublishUnconfirmed):
        await far_bus.publish([job() for _ in range(300)])

    assert time.monotonic() - began < 6


async def test_a_publish_whose_confirm_is_lost_is_not_confirmed(far_bus: RabbitBus, proxy: Proxy) -> None:
    await proxy.set(Mode.DROP_REPLY)

    with pytest.raises(PublishUnconfirmed):
        await far_bus.publish([job()])


async def test_a_connection_that_is_reset_during_a_publish_leaves_it_unconfirmed(
    far_bus: RabbitBus, proxy: Proxy
) -> None:
    await proxy.set(Mode.BLACKHOLE)
    for messages in ([job()], [job() for _ in range(20)]):
        publishing = asyncio.create_task(far_bus.publish(messages))
        await asyncio.wait({publishing}, timeout=0.2)
        await proxy.set(Mode.RESET_ALL)
        with pytest.raises(PublishUnconfirmed):
            await publishing
        await proxy.set(Mode.PASS)
        await eventually(far_bus.ready)
        await proxy.set(Mode.BLACKHOLE)


async def test_cancelling_a_publisher_cancels_it(far_bus: RabbitBus, proxy: Proxy) -> None:
    await proxy.set(Mode.BLACKHOLE)
    publishing = asyncio.create_task(far_bus.publish([job() for _ in range(20)]))  # noqa: RUF006 - awaited
    await asyncio.wait({publishing}, timeout=0.2)
    publishing.cancel()

    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await publishing


async def test_a_silent_network_is_noticed_and_publishing_goes_on_when_it_is_back(
    far_bus: RabbitBus, proxy: Proxy
) -> None:
    jobs = await consuming(far_bus)

    await proxy.set(Mode.BLACKHOLE)
    await eventually(lambda: not far_bus.ready(), within=12)
    await proxy.set(Mode.PASS)

    await eventually(far_bus.ready, within=20)
    await published_at_last(far_bus, job())
    await eventually(lambda: len(jobs.finished) == 1)


async def test_a_publisher_alone_notices_a_silent_network(far_bus: RabbitBus, proxy: Proxy) -> None:
    await proxy.set(Mode.BLACKHOLE)

    await eventually(lambda: not far_bus.ready(), within=12)


async def test_while_an_alarm_blocks_publishing_consumers_go_on(bus: RabbitBus, node: RabbitNode) -> None:
    jobs = await consuming(bus)
    jobs.gate.clear()
    waiting = [job() for _ in range(10)]
    await bus.publish(waiting)
    await ctl(node, "set_vm_memory_high_watermark", "0.000001")
    try:
        for _ in range(2):
            with pytest.raises(PublishUnconfirmed):
                await bus.publish([job(b"late")])
        jobs.gate.set()
        await eventually(lambda: len(jobs.finished) == len(waiting))
        assert bus.ready()
    finally:
        await ctl(node, "set_vm_memory_high_watermark", "0.4")

    await published_at_last(bus, job(b"after"))
    await eventually(lambda: b"after" in jobs.bodies())
    # The first one was on its way when the alarm came; the second was kept back.
    assert jobs.bodies().count(b"late") <= 1
