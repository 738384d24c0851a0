"""Listens to what Belltower tells: a consumer of your own, with nothing of ours but the exchange's name.

    pip install aio-pika
    python consume_events.py amqp://guest:guest@localhost/ --binding 'message.#'

Events come at least once and in no order (`docs/events.md`). So a consumer knows an event again by its id, sorts by
the sequence of its subject, and takes a type or version that it does not know for what it is: something newer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

EXCHANGE = "belltower.events"
KNOWN: dict[tuple[str, int], Callable[[dict[str, Any]], str]] = {
    ("message.sent", 1): lambda data: f"sent at {data['sent_at']} by {data['provider']}",
    ("message.failed", 1): lambda data: f"not sent: {data['reason']}",
    ("message.uncertain", 1): lambda data: f"perhaps sent: {data['reason']}",
    ("reminder.completed", 1): lambda _: "all done",
}
"""What this program has an interest in. The rest is acknowledged and passed over."""

REMEMBERED = 100_000


class Seen:
    """Ids that were handled. Here in memory: a real consumer keeps them where it keeps what the events changed,
    and writes both in one transaction."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def add(self, event_id: str) -> None:
        """Remember it, and forget the oldest of too many."""
        self._ids[event_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)


class Sequences:
    """Notices what is missing from the story of a subject. Stories begin where the queue was bound."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._early: defaultdict[str, set[int]] = defaultdict(set)

    def gap(self, subject: str, sequence: int) -> list[int]:
        """Note an event; returns the numbers that are missing before the newest one known."""
        expected = self._next.get(subject, sequence)
        if sequence < expected:
            return []  # from before we listened
        early = self._early[subject]
        early.add(sequence)
        while expected in early:
            early.discard(expected)
            expected += 1
        self._next[subject] = expected
        newest = max(early, default=expected)
        if not early:
            del self._early[subject]
        return [number for number in range(expected, newest) if number not in early]


class Listener:
    """Handles one event after the other, and counts them."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._seen, self._sequences = Seen(), Sequences()
        self._handled = 0
        self.done = asyncio.Event()

    async def __call__(self, message: AbstractIncomingMessage) -> None:
        """Handle and acknowledge. What raises in here goes back to the queue, and to the next try."""
        async with message.process(requeue=True):
            self._handle(message.body)
        self._handled += 1
        if self._limit is not None and self._handled >= self._limit:
            self.done.set()

    def _handle(self, body: bytes) -> None:
        try:
            event = json.loads(body)
            event_id, subject, sequence = event["id"], event["subject"], event["sequence"]
            kind = (event["type"], event["version"])
        except (ValueError, KeyError, TypeError):
            # Nothing of Belltower's looks like this. To put it back would be to read it for ever.
            print("passed over: not an event")
            return
        if event_id in self._seen:
            print(f"passed over: {event_id} came before")
            return
        self._tell(kind, subject, sequence, event["data"])
        self._seen.add(event_id)  # last: what failed above comes again, and must not be taken for handled

    def _tell(self, kind: tuple[str, int], subject: str, sequence: int, data: dict[str, Any]) -> None:
        name = "{} v{}".format(*kind)
        told = KNOWN[kind](data) if kind in KNOWN else "not known here, passed over"
        print(f"{subject} #{sequence} {name}: {told}")
        if missing := self._sequences.gap(subject, sequence):
            print(f"{subject} still misses {', '.join(f'#{number}' for number in missing)}")


async def bound_queue(connection: AbstractConnection, name: str, binding: str) -> AbstractQueue:
    """A queue of our own that outlives us, on an exchange that is Belltower's."""
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=50)
    # Passive: the exchange is Belltower's to declare. Without it this ends here, and says so.
    exchange = await channel.declare_exchange(EXCHANGE, passive=True)
    queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(exchange, binding)
    return queue


async def listen(options: argparse.Namespace) -> None:
    """Listen until the limit, the time or Ctrl-C; the connection comes back by itself."""
    connection = await aio_pika.connect_robust(options.url)
    async with connection:
        listener = Listener(options.limit)
        queue = await bound_queue(connection, options.queue, options.binding)
        tag = await queue.consume(listener)
        print(f"listening on {options.queue}", flush=True)
        try:
            await asyncio.wait_for(listener.done.wait(), options.seconds)
        except TimeoutError:
            print("time is up")
        await queue.cancel(tag)


def main() -> None:
    """Read the command line, and listen."""
    parser = argparse.ArgumentParser(description="Prints what Belltower tells.")
    parser.add_argument("url", help="where RabbitMQ is: amqp://user:password@host/")
    parser.add_argument("--queue", default="example.events", help="the name of your own queue (%(default)s)")
    parser.add_argument("--binding", default="#", help="which events: message.sent.v1, message.#, # (%(default)s)")
    parser.add_argument("--limit", type=int, help="stop after this many messages")
    parser.add_argument("--seconds", type=float, help="stop after this time")
    try:
        asyncio.run(listen(parser.parse_args()))
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
