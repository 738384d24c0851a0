"""kill -9 of the broker under its publishers: what was confirmed arrives (B-02, the bus alone)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from shared.bus.bus import COMMANDS, BusMessage, PublishUnconfirmed, Queue
from shared.bus.rabbit import RabbitBus
from tests.rig.rabbitmq import RabbitNode, private_rabbitmq
from tests.rig.sizes import pick

KILLS, PUBLISHERS, BATCH = pick(2, 5), 8, 20
BACK_WITHIN = 10.0
JOBS = Queue("test.killed", COMMANDS, "job.run.v1", prefetch=64)


@dataclass(slots=True)
class Ledger:
    """What was promised and what came, by message id."""

    confirmed: list[set[UUID]] = field(default_factory=lambda: [set() for _ in range(PUBLISHERS)])
    taken: Counter[UUID] = field(default_factory=Counter)
    unconfirmed: int = 0

    async def take(self, message: BusMessage) -> None:
        self.taken[message.id] += 1

    def sizes(self) -> list[int]:
        return [len(ids) for ids in self.confirmed]

    def lost(self) -> set[UUID]:
        return set().union(*self.confirmed) - self.taken.keys()


async def _publish_on(bus: RabbitBus, number: int, ledger: Ledger) -> None:
    """As the relay does: the same batch again until it is confirmed, then the next."""
    while True:
        batch = [BusMessage(COMMANDS, JOBS.binding, uuid4(), b"x" * 210) for _ in range(BATCH)]
        while True:
            try:
                await bus.publish(batch)
                break
            except PublishUnconfirmed:
                ledger.unconfirmed += 1
                await asyncio.sleep(0.05)
        ledger.confirmed[number] |= {message.id for message in batch}
        await asyncio.sleep(0.02)


async def _until(holds: Callable[[], object], within: float) -> float:
    """Seconds until `holds()`; fails after `within`."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.01)
    return time.monotonic() - began


@asynccontextmanager
async def _buses(url: str, count: int) -> AsyncIterator[Sequence[RabbitBus]]:
    async with asyncio.timeout(20):
        buses = await asyncio.gather(*(RabbitBus.connect(url, queues=[JOBS]) for _ in range(count)))
    try:
        yield buses
    finally:
        await asyncio.gather(*(bus.stop_consuming(drain=1) for bus in buses))
        await asyncio.gather(*(bus.close() for bus in buses))


async def _kill_and_restart(node: RabbitNode, consumer: RabbitBus, ledger: Ledger) -> float:
    """Seconds from the broker's return until the consumer consumes and every publisher is confirmed again."""
    before = ledger.sizes()
    await _until(lambda: all(now > then for now, then in zip(ledger.sizes(), before, strict=True)), within=10)
    await asyncio.to_thread(node.kill)
    await _until(lambda: not consumer.ready(), within=5)
    await asyncio.to_thread(node.start)
    at_return = ledger.sizes()
    return await _until(
        lambda: consumer.ready() and all(now > then for now, then in zip(ledger.sizes(), at_return, strict=True)),
        within=BACK_WITHIN,
    )


async def _storm(node: RabbitNode, ledger: Ledger) -> list[float]:
    async with _buses(node.url(), PUBLISHERS + 1) as (consumer, *publishers):
        await asyncio.to_thread(node.settle)
        await consumer.consume(JOBS, ledger.take)
        await _until(consumer.ready, within=10)
        publishing = [asyncio.create_task(_publish_on(bus, n, ledger)) for n, bus in enumerate(publishers)]
        try:
            back_after = [await _kill_and_restart(node, consumer, ledger) for _ in range(KILLS)]
        finally:
            for task in publishing:
                task.cancel()
            ended = await asyncio.gather(*publishing, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
        await _until(lambda: not ledger.lost(), within=10)
    return back_after


async def test_what_the_broker_confirmed_survives_its_kills_b_02(figure: Callable[[str], None]) -> None:
    ledger = Ledger()
    with private_rabbitmq() as node:
        back_after = await _storm(node, ledger)

    confirmed = sum(ledger.sizes())
    repeats = ledger.taken.total() - len(ledger.taken)
    assert ledger.unconfirmed, "no publisher noticed: the kills hit nothing"
    figure(
        f"{confirmed} messages confirmed to {PUBLISHERS} publishers, {KILLS} kills of the broker: 0 lost, "
        f"{repeats} repeats, back {max(back_after):.1f} s after it"
    )
