"""What the broker must hold, and what happens when it holds something else."""

from __future__ import annotations

import asyncio

import pytest
from aio_pika.abc import AbstractChannel
from contract.bus_tools import JOBS, QUEUES, job
from contract.rabbit.tools import connected, consuming, ctl
from yarl import URL

from rig.rabbitmq import RabbitNode
from shared.bus.bus import COMMANDS, EVENTS, PublishUnconfirmed
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import TopologyMismatch


async def test_the_broker_holds_the_arguments_that_keep_messages_safe(
    bus: RabbitBus, node: RabbitNode, url: str
) -> None:
    vhost = URL(url).path[1:]

    listing = await ctl(node, "list_queues", "-p", vhost, "name", "type", "durable", "arguments")

    lines = dict(line.split("\t", 1) for line in listing.splitlines() if line.startswith("test."))
    for queue in QUEUES:
        for argument in (
            "quorum\ttrue",
            '{"x-delivery-limit",1000}',
            f'{{"x-dead-letter-exchange","{queue.name}.dead"}}',
            '{"x-dead-letter-strategy","at-least-once"}',
            '{"x-overflow","reject-publish"}',
        ):
            assert argument in lines[queue.name]
        assert lines[f"{queue.name}.dead"].startswith("quorum\ttrue")
    exchanges = await ctl(node, "list_exchanges", "-p", vhost, "name", "type", "durable")
    assert f"{EVENTS}\ttopic\ttrue" in exchanges
    assert f"{COMMANDS}\ttopic\ttrue" in exchanges


async def test_messages_are_persistent_json_with_their_id(bus: RabbitBus, channel: AbstractChannel) -> None:
    sent = job()
    await bus.publish([sent])

    found = await (await channel.get_queue(JOBS.name)).get()

    assert (found.delivery_mode, found.content_type) == (2, "application/json")
    assert found.message_id == str(sent.id)


async def test_a_queue_declared_otherwise_stops_the_service_with_its_name(url: str, channel: AbstractChannel) -> None:
    await channel.declare_queue(JOBS.name, durable=True)

    with pytest.raises(TopologyMismatch, match=JOBS.name):
        await connected(url)


async def test_a_watcher_learns_of_a_queue_that_was_declared_otherwise_later(
    bus: RabbitBus, channel: AbstractChannel
) -> None:
    await consuming(bus)

    await channel.queue_delete(JOBS.name)
    await channel.declare_queue(JOBS.name, durable=True)

    async with asyncio.timeout(10):
        with pytest.raises(TopologyMismatch, match=JOBS.name):
            await bus.watch()


async def test_a_publisher_alone_learns_of_it_too(bus: RabbitBus, channel: AbstractChannel) -> None:
    await channel.queue_delete(JOBS.name)
    await channel.declare_queue(JOBS.name, durable=True)

    for _ in range(2):
        with pytest.raises(PublishUnconfirmed):
            await bus.publish([job()])

    async with asyncio.timeout(10):
        with pytest.raises(TopologyMismatch, match=JOBS.name):
            await bus.watch()


async def test_connections_carry_names_that_an_operator_can_read(bus: RabbitBus, node: RabbitNode) -> None:
    await consuming(bus)

    names = await ctl(node, "list_connections", "client_properties")

    assert "publishing" in names
    assert "consuming" in names
