"""What every bus promises, asked of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from contract.bus_tools import (
    ARRIVALS,
    FACTS,
    JOBS,
    QUEUES,
    ListStore,
    Recorder,
    eventually,
    fact,
    forget_queues,
    job,
)

from shared.bus.bus import COMMANDS, Bus, BusMessage, DeadLetter, PublishUnconfirmed, Undeliverable
from shared.bus.memory import MemoryBus
from shared.bus.rabbit import RabbitBus


@pytest.fixture(params=["memory", "rabbit"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    opened: Bus
    if request.param == "memory":
        opened = MemoryBus(ListStore(), queues=QUEUES)
        await opened.start()
    else:
        url = request.getfixturevalue("bus_url")
        await forget_queues(url)
        async with asyncio.timeout(20):
            opened = await RabbitBus.connect(url, queues=QUEUES)
    yield opened
    await opened.stop_consuming(drain=0)
    await opened.close()


async def started(bus: Bus, jobs: Recorder | None = None) -> Recorder:
    """Consume every queue, and return the recorder of the jobs."""
    jobs = jobs or Recorder()
    await bus.consume(JOBS, jobs)
    for queue in (FACTS, ARRIVALS):
        await bus.consume(queue, Recorder())
    await eventually(bus.ready)
    return jobs


async def test_a_command_reaches_its_consumer_as_it_was_published(bus: Bus) -> None:
    jobs = await started(bus)
    sent = job(b'{"a":1}')

    await bus.publish([sent])

    await eventually(lambda: jobs.finished == [sent])


async def test_a_command_waits_for_a_consumer_that_comes_later(bus: Bus) -> None:
    sent = job()
    await bus.publish([sent])

    jobs = await started(bus)

    await eventually(lambda: jobs.finished == [sent])


async def test_an_event_reaches_every_queue_whose_binding_matches(bus: Bus) -> None:
    facts, arrivals = Recorder(), Recorder()
    await bus.consume(FACTS, facts)
    await bus.consume(ARRIVALS, arrivals)
    await eventually(bus.ready)
    arrived, left = fact("guest.arrived.v1"), fact("bell.rung.v1")

    await bus.publish([arrived, left])

    await eventually(lambda: len(facts.finished) == 2 and arrivals.finished == [arrived])
    assert {message.id for message in facts.finished} == {arrived.id, left.id}


async def test_a_star_stands_for_exactly_one_word(bus: Bus) -> None:
    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job(key="job.run.now.v1")])


async def test_a_message_for_no_queue_is_not_confirmed_and_harms_nothing(bus: Bus) -> None:
    jobs = await started(bus)

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job(), BusMessage(COMMANDS, "nobody.listens.v1", fact().id, b"{}")])
    last = job()
    await bus.publish([last])

    await eventually(lambda: last in jobs.finished)


async def test_many_messages_are_published_in_one_call(bus: Bus) -> None:
    jobs = await started(bus)
    sent = [job(str(number).encode()) for number in range(1500)]

    await bus.publish(sent)

    await eventually(lambda: len(jobs.finished) == len(sent))
    assert sorted(jobs.bodies()) == sorted(message.body for message in sent)


async def test_publishing_nothing_is_confirmed(bus: Bus) -> None:
    await bus.publish([])


async def test_a_handler_that_raises_gets_three_tries_then_a_dead_letter(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda message: KeyError("secret text") if message.body == b"bad" else None
    await started(bus, jobs)
    bad, good = job(b"bad"), job(b"good")

    await bus.publish([bad, good])

    await eventually(lambda: jobs.finished == [good])
    letter = await one_dead_letter(bus)
    assert (letter.id, letter.queue, letter.routing_key) == (bad.id, JOBS.name, bad.routing_key)
    assert (letter.reason, letter.body) == ("KeyError", b"bad")
    assert [message.id for message in jobs.started].count(bad.id) == 3


async def test_a_handler_that_is_cancelled_from_within_fails_like_any_other(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda _: asyncio.CancelledError()
    await started(bus, jobs)

    await bus.publish([job()])

    assert (await one_dead_letter(bus)).reason == "CancelledError"


async def test_an_undeliverable_message_is_dead_at_once_with_its_reason(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda _: Undeliverable("no such command")
    await started(bus, jobs)

    await bus.publish([job()])

    assert (await one_dead_letter(bus)).reason == "no such command"
    assert len(jobs.started) == 1


async def test_looking_at_dead_letters_leaves_them_in_their_order(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda _: Undeliverable("never")
    await started(bus, jobs)
    for number in range(3):
        await bus.publish([job(str(number).encode())])
        await dead_letters_count(bus, number + 1)

    for _ in range(3):
        assert [letter.body for letter in await bus.dead_letters(JOBS, limit=10)] == [b"0", b"1", b"2"]
    assert [letter.body for letter in await bus.dead_letters(JOBS, limit=2)] == [b"0", b"1"]


async def test_replayed_dead_letters_reach_their_consumer_again(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda _: Undeliverable("not yet")
    await started(bus, jobs)
    sent = job(b"later")
    await bus.publish([sent])
    await one_dead_letter(bus)
    jobs.raises = lambda _: None

    assert await bus.replay_dead_letters(JOBS, limit=10) == 1

    await eventually(lambda: jobs.bodies() == [b"later"])
    again = jobs.finished[0]
    assert (again.id, again.exchange, again.routing_key) == (sent.id, sent.exchange, sent.routing_key)
    assert await bus.dead_letters(JOBS, limit=10) == []


async def test_a_replayed_message_that_dies_again_is_kept_with_its_new_reason(bus: Bus) -> None:
    jobs = Recorder()
    jobs.raises = lambda _: Undeliverable("first")
    await started(bus, jobs)
    await bus.publish([job()])
    await one_dead_letter(bus)
    jobs.raises = lambda _: Undeliverable("second")

    assert await bus.replay_dead_letters(JOBS, limit=10) == 1

    await eventually(lambda: len(jobs.started) == 2)
    assert (await one_dead_letter(bus)).reason == "second"


async def test_one_consumer_holds_no_more_than_its_prefetch(bus: Bus) -> None:
    jobs = Recorder()
    jobs.gate.clear()
    await started(bus, jobs)

    await bus.publish([job() for _ in range(40)])

    await eventually(lambda: jobs.running == JOBS.prefetch)
    jobs.gate.set()
    await eventually(lambda: len(jobs.finished) == 40)
    assert jobs.most_running == JOBS.prefetch


async def test_a_slow_consumer_of_commands_does_not_delay_events(bus: Bus) -> None:
    jobs, facts = Recorder(), Recorder()
    jobs.gate.clear()
    await bus.consume(JOBS, jobs)
    await bus.consume(FACTS, facts)
    await eventually(bus.ready)
    await bus.publish([job() for _ in range(40)])

    async with asyncio.timeout(2):
        await bus.publish([fact("bell.rung.v1")])

    await eventually(lambda: len(facts.finished) == 1)
    assert jobs.finished == []
    jobs.gate.set()


async def test_stopping_waits_for_running_handlers_and_takes_nothing_more(bus: Bus) -> None:
    jobs = Recorder()
    jobs.gate.clear()
    await started(bus, jobs)
    await bus.publish([job() for _ in range(10)])
    await eventually(lambda: jobs.running == JOBS.prefetch)

    stopping = asyncio.create_task(bus.stop_consuming(drain=10))
    done, _ = await asyncio.wait({stopping}, timeout=0.3)
    assert not done
    jobs.gate.set()
    await stopping

    assert len(jobs.finished) == JOBS.prefetch
    assert not jobs.cancelled


async def test_what_was_not_started_before_a_stop_goes_to_the_next_consumer(bus: Bus) -> None:
    first, second = Recorder(), Recorder()
    first.gate.clear()
    await started(bus, first)
    await bus.publish([job() for _ in range(10)])
    await eventually(lambda: first.running == JOBS.prefetch)
    asyncio.get_running_loop().call_later(0.2, first.gate.set)
    await bus.stop_consuming(drain=10)

    await bus.consume(JOBS, second)

    await eventually(lambda: len(second.finished) == 10 - JOBS.prefetch)


async def test_a_handler_that_outlasts_the_drain_is_cancelled(bus: Bus) -> None:
    jobs = Recorder()
    jobs.gate.clear()
    await started(bus, jobs)
    await bus.publish([job()])
    await eventually(lambda: jobs.running == 1)

    async with asyncio.timeout(5):
        await bus.stop_consuming(drain=0.2)

    assert len(jobs.cancelled) == 1


async def one_dead_letter(bus: Bus) -> DeadLetter:
    await dead_letters_count(bus, 1)
    (letter,) = await bus.dead_letters(JOBS, limit=10)
    return letter


async def dead_letters_count(bus: Bus, count: int) -> None:
    async with asyncio.timeout(10):
        while len(await bus.dead_letters(JOBS, limit=10)) != count:
            await asyncio.sleep(0.05)


async def test_stopping_one_queue_leaves_the_others_consuming(bus: Bus) -> None:
    jobs, facts = Recorder(), Recorder()
    await bus.consume(JOBS, jobs)
    await bus.consume(FACTS, facts)
    await bus.consume(ARRIVALS, Recorder())
    await eventually(bus.ready)

    await bus.stop_consuming(drain=1, queue=FACTS)
    await bus.publish([job()])

    await eventually(lambda: len(jobs.finished) == 1)
    assert facts.finished == []
