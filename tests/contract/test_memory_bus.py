"""What the memory bus promises because there is no broker to keep anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from contract.bus_tools import ARRIVALS, FACTS, JOBS, QUEUES, ListStore, Recorder, eventually, fact, job

from shared.bus import memory
from shared.bus.bus import PublishUnconfirmed
from shared.bus.memory import MemoryBus
from shared.bus.topic import matches


@pytest.fixture
def store() -> ListStore:
    return ListStore()


@pytest.fixture
async def bus(store: ListStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MemoryBus]:
    monkeypatch.setattr(memory, "PUBLISH_TIMEOUT", 0.3)
    opened = MemoryBus(store, queues=QUEUES, length=5)
    await opened.start()
    yield opened
    await opened.close()


async def consume_facts(bus: MemoryBus, facts: Recorder) -> None:
    await bus.consume(FACTS, facts)
    await bus.consume(ARRIVALS, Recorder())


async def test_an_event_is_confirmed_when_its_handlers_have_returned(bus: MemoryBus) -> None:
    facts = Recorder()
    facts.gate.clear()
    await consume_facts(bus, facts)
    publishing = asyncio.create_task(bus.publish([fact()]))
    await eventually(lambda: facts.running == 1)
    assert not publishing.done()

    facts.gate.set()
    await publishing

    assert len(facts.finished) == 1


async def test_an_event_that_nobody_consumes_yet_is_not_confirmed(bus: MemoryBus) -> None:
    with pytest.raises(PublishUnconfirmed):
        await bus.publish([fact()])


async def test_an_event_given_up_by_its_publisher_is_not_started_later(bus: MemoryBus) -> None:
    with pytest.raises(PublishUnconfirmed):
        await bus.publish([fact()])
    facts = Recorder()
    await consume_facts(bus, facts)

    await bus.publish([fact(body=b"second")])

    assert facts.bodies() == [b"second"]


async def test_a_dead_letter_lets_the_publisher_of_an_event_go_on(bus: MemoryBus, store: ListStore) -> None:
    memory_timeout = 5.0
    facts = Recorder()
    facts.raises = lambda _: ValueError("text")
    await consume_facts(bus, facts)
    memory.PUBLISH_TIMEOUT = memory_timeout  # restored by the fixture

    await bus.publish([fact()])

    assert [letter.reason for letter in store.letters] == ["ValueError"]
    assert len(facts.started) == 3


async def test_an_event_stays_unconfirmed_while_its_dead_letter_cannot_be_saved(
    bus: MemoryBus, store: ListStore
) -> None:
    facts = Recorder()
    facts.raises = lambda _: ValueError()
    store.broken = True
    await consume_facts(bus, facts)

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([fact()])

    store.broken = False
    await eventually(lambda: len(store.letters) == 1)


async def test_a_full_queue_makes_the_publisher_of_commands_wait_then_give_up(bus: MemoryBus) -> None:
    await bus.publish([job() for _ in range(5)])

    with pytest.raises(PublishUnconfirmed):
        await bus.publish([job()])


async def test_a_stop_tells_the_publishers_of_events_that_were_not_handled(bus: MemoryBus) -> None:
    memory.PUBLISH_TIMEOUT = 5.0  # restored by the fixture
    facts = Recorder()
    facts.gate.clear()
    await consume_facts(bus, facts)
    publishing = asyncio.create_task(bus.publish([fact()]))
    await eventually(lambda: facts.running == 1)

    await bus.stop_consuming(drain=0)

    async with asyncio.timeout(1):
        with pytest.raises(PublishUnconfirmed):
            await publishing


async def test_a_cancelled_publisher_is_cancelled_and_its_handler_is_not(bus: MemoryBus) -> None:
    memory.PUBLISH_TIMEOUT = 5.0  # restored by the fixture
    facts = Recorder()
    facts.gate.clear()
    await consume_facts(bus, facts)
    publishing = asyncio.create_task(bus.publish([fact()]))
    await eventually(lambda: facts.running == 1)

    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    facts.gate.set()

    await eventually(lambda: len(facts.finished) == 1)


async def test_replaying_where_nobody_consumes_replays_nothing(bus: MemoryBus) -> None:
    assert await bus.replay_dead_letters(JOBS, limit=5) == 0


@pytest.mark.parametrize(
    ("binding", "routing_key", "expected"),
    [
        ("send.due.v1", "send.due.v1", True),
        ("send.due.v1", "send.due.v2", False),
        ("send.due", "send.due.v1", False),
        ("#", "message.sent.v1", True),
        ("#", "", True),
        ("message.#", "message", True),
        ("message.#", "message.sent.v1", True),
        ("message.#", "messages.sent", False),
        ("message.*.v1", "message.sent.v1", True),
        ("message.*.v1", "message.v1", False),
        ("*", "message.sent", False),
        ("#.v1", "message.sent.v1", True),
        ("#.sent.#", "message.sent.v1", True),
    ],
)
def test_bindings_match_as_they_do_on_the_broker(binding: str, routing_key: str, expected: bool) -> None:
    assert matches(binding, routing_key) is expected


async def test_an_event_for_a_stopped_consumer_is_refused_at_once(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PUBLISH_TIMEOUT", 60)
    await consume_facts(bus, Recorder())
    await bus.stop_consuming(drain=0, queue=FACTS)

    with pytest.raises(PublishUnconfirmed):
        async with asyncio.timeout(5):
            await bus.publish([fact()])
