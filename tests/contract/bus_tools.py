"""What the bus tests share: messages, handlers that remember, and waiting with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import aio_pika

from shared.bus.bus import COMMANDS, EVENTS, BusMessage, DeadLetter, Queue

JOBS = Queue("test.jobs", COMMANDS, "job.*.v1", prefetch=4)
FACTS = Queue("test.facts", EVENTS, "#", prefetch=16)
ARRIVALS = Queue("test.arrivals", EVENTS, "guest.#", prefetch=16)
QUEUES = (JOBS, FACTS, ARRIVALS)


def job(body: bytes = b"{}", key: str = "job.run.v1") -> BusMessage:
    return BusMessage(COMMANDS, key, uuid4(), body, {"trace": "abc"})


def fact(key: str = "guest.arrived.v1", body: bytes = b"{}") -> BusMessage:
    return BusMessage(EVENTS, key, uuid4(), body)


async def eventually(holds: Callable[[], object], within: float = 10) -> None:
    """Wait until `holds()` is true; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.01)


class Recorder:
    """A handler that remembers what it got, waits while `gate` is shut, and raises what it is told to."""

    def __init__(self) -> None:
        self.started: list[BusMessage] = []
        self.finished: list[BusMessage] = []
        self.cancelled: list[BusMessage] = []
        self.running = self.most_running = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.raises: Callable[[BusMessage], BaseException | None] = lambda _: None

    async def __call__(self, message: BusMessage) -> None:
        self.started.append(message)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            if error := self.raises(message):
                raise error
        except asyncio.CancelledError:
            self.cancelled.append(message)
            raise
        finally:
            self.running -= 1
        self.finished.append(message)

    def bodies(self) -> list[bytes]:
        return [message.body for message in self.finished]


class ListStore:
    """Dead letters in a list; `broken` makes saving fail, as a database that is away does."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.broken = False

    async def save(self, letter: DeadLetter) -> None:
        if self.broken:
            raise OSError("away")
        await self.take(letter.queue, letter.id)
        self.letters.append(letter)

    async def list(self, queue: str, *, limit: int) -> Sequence[DeadLetter]:
        return [letter for letter in self.letters if letter.queue == queue][:limit]

    async def take(self, queue: str, letter: UUID) -> bool:
        kept = [one for one in self.letters if (one.queue, one.id) != (queue, letter)]
        taken, self.letters = len(kept) < len(self.letters), kept
        return taken


async def forget_queues(url: str) -> None:
    """Delete what an earlier test left, where the broker has one virtual host for all."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    for queue in QUEUES:
        for name in (queue.name, f"{queue.name}.dead"):
            await channel.queue_delete(name)
    await connection.close()
