"""A consumer comes back by itself, and its handlers do not notice."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest
from aio_pika.abc import AbstractChannel
from contract.bus_tools import JOBS, Recorder, eventually, job
from contract.rabbit.tools import consuming, ctl, dead_jobs, publish_with_id, published_at_last

from rig.proxy import Mode, Proxy
from rig.rabbitmq import RabbitNode
from shared.bus import consumer
from shared.bus.bus import PublishUnconfirmed
from shared.bus.rabbit import RabbitBus


async def test_a_lost_connection_does_not_cancel_a_handler_and_the_message_comes_again(
    far_bus: RabbitBus, proxy: Proxy
) -> None:
    jobs = await consuming(far_bus)
    jobs.gate.clear()
    await far_bus.publish([job()])
    await eventually(lambda: jobs.running == 1)

    await proxy.set(Mode.RESET_ALL)
    await proxy.set(Mode.PASS)

    await eventually(lambda: jobs.running == 2)
    jobs.gate.set()
    await eventually(lambda: len(jobs.finished) == 2)
    assert not jobs.cancelled
    assert jobs.finished[0] == jobs.finished[1]
    await eventually(far_bus.ready)


async def test_twins_of_handlers_that_outlive_many_connections_do_not_pile_up(far_bus: RabbitBus, proxy: Proxy) -> None:
    jobs = await consuming(far_bus)
    jobs.gate.clear()
    await far_bus.publish([job() for _ in range(JOBS.prefetch)])
    await eventually(lambda: jobs.running == JOBS.prefetch)

    for _ in range(3):
        await proxy.set(Mode.RESET_ALL)
        await proxy.set(Mode.PASS)
        await eventually(lambda: not far_bus.ready())
        await eventually(far_bus.ready)

    assert jobs.most_running == JOBS.prefetch


async def test_nothing_that_a_bus_needs_is_held_weakly(bus: RabbitBus) -> None:
    jobs = await consuming(bus)

    gc.collect()
    await bus.publish([job()])

    await eventually(lambda: len(jobs.finished) == 1)


async def test_what_was_drained_at_a_stop_was_acknowledged(bus: RabbitBus) -> None:
    jobs = await consuming(bus)
    jobs.gate.clear()
    await bus.publish([job()])
    await eventually(lambda: jobs.running == 1)
    asyncio.get_running_loop().call_later(0.2, jobs.gate.set)
    await bus.stop_consuming(drain=10)

    again = await consuming(bus)
    last = job(b"last")
    await bus.publish([last])

    await eventually(lambda: last in again.finished)
    assert again.finished == [last]


async def test_a_consumer_that_the_broker_no_longer_sees_starts_over(
    bus: RabbitBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "PROBE_EVERY", 0.1)
    jobs = await consuming(bus)
    taking = bus._consumers[0]  # noqa: SLF001 - nothing outside can make the broker forget silently
    assert taking._source is not None  # noqa: SLF001 - the same

    await taking._source.cancel(taking._tag)  # noqa: SLF001 - the same
    await eventually(lambda: not bus.ready())
    await eventually(bus.ready)

    await bus.publish([job()])
    await eventually(lambda: len(jobs.finished) == 1)


async def test_a_consumer_that_gets_nothing_of_what_waits_starts_over(
    bus: RabbitBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "PROBE_EVERY", 0.1)
    monkeypatch.setattr(consumer, "SILENT_PROBES", 4)
    jobs = await consuming(bus)
    taking = bus._consumers[0]._channel  # noqa: SLF001 - nothing outside can make deliveries vanish
    assert taking is not None
    # What the broker delivers is dropped without a word, and the broker still sees the consumer.
    (await taking.get_underlay_channel()).consumers.clear()

    began = time.monotonic()
    sent = [job() for _ in range(JOBS.prefetch + 3)]
    await bus.publish(sent)

    await eventually(lambda: len(jobs.finished) == len(sent))
    assert time.monotonic() - began > 0.4
    assert {message.id for message in jobs.finished} == {message.id for message in sent}


async def test_a_consumer_whose_handlers_are_slow_does_not_start_over(
    bus: RabbitBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "PROBE_EVERY", 0.1)
    monkeypatch.setattr(consumer, "SILENT_PROBES", 2)
    jobs = await consuming(bus)
    jobs.gate.clear()
    sent = [job() for _ in range(JOBS.prefetch + 3)]
    await bus.publish(sent)
    await eventually(lambda: jobs.running == JOBS.prefetch)
    before = bus._consumers[0]._channel  # noqa: SLF001 - starting over takes a new one

    await asyncio.sleep(1)

    assert bus._consumers[0]._channel is before  # noqa: SLF001 - the same
    jobs.gate.set()
    await eventually(lambda: len(jobs.finished) == len(sent))


async def test_a_consumer_is_back_after_its_queue_was_deleted(bus: RabbitBus, channel: AbstractChannel) -> None:
    jobs = await consuming(bus)

    await channel.queue_delete(JOBS.name)
    await eventually(lambda: not bus.ready())
    await eventually(bus.ready)

    await published_at_last(bus, job())
    await eventually(lambda: len(jobs.finished) == 1)


async def test_a_consumer_is_back_after_the_broker_closed_its_channel(bus: RabbitBus) -> None:
    jobs = await consuming(bus)
    consumer_channel = bus._consumers[0]._channel  # noqa: SLF001 - the broker's view of our mistake
    assert consumer_channel is not None

    await (await consumer_channel.get_underlay_channel()).basic_ack(4711)  # an unknown tag: 406
    await eventually(lambda: not bus.ready())
    await eventually(bus.ready)

    await bus.publish([job()])
    await eventually(lambda: len(jobs.finished) == 1)


async def test_readiness_follows_a_broker_that_stops_and_starts(bus: RabbitBus, node: RabbitNode) -> None:
    jobs = await consuming(bus)

    await ctl(node, "stop_app")
    try:
        await eventually(lambda: not bus.ready())
        with pytest.raises(PublishUnconfirmed):
            await bus.publish([job(b"away")])
    finally:
        await ctl(node, "start_app")

    await eventually(bus.ready)
    await bus.publish([job(b"back")])
    await eventually(lambda: b"back" in jobs.bodies())


async def test_poison_is_dead_lettered_with_its_reason_while_good_messages_flow(
    bus: RabbitBus, channel: AbstractChannel
) -> None:
    jobs = Recorder()
    jobs.raises = lambda message: ValueError("private") if message.body == b"not json" else None
    await bus.consume(JOBS, jobs)
    for number in range(30):
        await publish_with_id("no id", channel)
        await bus.publish([job(b"not json" if number % 3 == 0 else b"good")])

    await eventually(lambda: len(jobs.finished) == 20)

    letters = await dead_jobs(bus, 40)
    assert {(letter.body, letter.reason) for letter in letters} == {
        (b"not json", "ValueError"),
        (b"no id", "the message id is not a UUID"),
    }


async def test_a_message_without_a_usable_id_is_dead_lettered(bus: RabbitBus, channel: AbstractChannel) -> None:
    await consuming(bus)

    await publish_with_id("not a uuid", channel)

    letters = await dead_jobs(bus, 1)
    assert [(letter.reason, letter.body) for letter in letters] == [("the message id is not a UUID", b"not a uuid")]


async def test_a_letter_that_the_broker_moved_by_itself_can_be_read_and_replayed(
    bus: RabbitBus, channel: AbstractChannel
) -> None:
    sent = job(b"refused")
    await bus.publish([sent])
    found = await (await channel.get_queue(JOBS.name)).get()
    await found.reject(requeue=False)

    letters = await dead_jobs(bus, 1)
    assert [(letter.id, letter.routing_key, letter.reason) for letter in letters] == [
        (sent.id, sent.routing_key, "rejected")
    ]
    jobs = await consuming(bus)
    await bus.replay_dead_letters(JOBS, limit=10)

    await eventually(lambda: jobs.finished == [sent])
