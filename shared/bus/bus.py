"""The bus as its users see it. RabbitMQ (`rabbit`) and memory (`memory`) pass one contract suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

EVENTS: Final = "belltower.events"
COMMANDS: Final = "belltower.commands"

PUBLISH_TIMEOUT: Final = 5.0
"""Seconds until a publish without a confirm counts as unconfirmed."""


@dataclass(frozen=True, slots=True)
class BusMessage:
    """One message on its way: bytes with an address, an id and headers."""

    exchange: str
    routing_key: str
    """Type and version, such as `message.sent.v1`."""
    id: UUID
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """One consumer's queue and what it is bound to."""

    name: str
    exchange: str
    binding: str
    prefetch: int
    """How many unacknowledged messages one consumer may hold."""


SEND_DUE: Final = Queue("dispatcher.send-due", COMMANDS, "send.due.v1", prefetch=8)
WEBHOOK_EVENTS: Final = Queue("webhooks.events", EVENTS, "#", prefetch=64)
QUEUES: Final = (SEND_DUE, WEBHOOK_EVENTS)


class Undeliverable(Exception):
    """The handler can never handle this message: it is dead-lettered at once, with the reason."""


class PublishUnconfirmed(Exception):
    """The broker did not confirm: the messages may or may not arrive later. Publish them again."""


Handler = Callable[[BusMessage], Awaitable[None]]
"""Returning acknowledges. `Undeliverable` dead-letters. A handler that cannot finish now (the database is
away) retries in place with backoff and does not raise."""


OnDead = Callable[["Queue"], None]
"""Told of each message that became a dead letter, for a metric."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that no handler could take, with why."""

    id: UUID
    queue: str
    routing_key: str
    reason: str
    dead_at: datetime
    body: bytes


class Bus(Protocol):
    """Publish with a confirm, consume with an acknowledgement, know when the broker is away."""

    async def start(self) -> None:
        """Begin to connect, in the background and for as long as it takes. Until then `ready` is false and
        `publish` raises at once."""
        ...

    async def watch(self) -> None:
        """Wait for as long as the bus lives; raises what no waiting can heal, such as queues on the broker
        that were declared with other arguments. A service runs it beside its work, and stops with it."""
        ...

    async def publish(self, messages: Sequence[BusMessage]) -> None:
        """Return when the broker has confirmed every one of `messages`.

        Raises `PublishUnconfirmed` where it has not within `PUBLISH_TIMEOUT`; nothing else.
        """
        ...

    async def consume(self, queue: Queue, handler: Handler) -> None:
        """Start giving `queue`'s messages to `handler`, each in a task that the bus owns and shields from
        loss of the connection. Goes on by itself after any outage, until `stop_consuming`."""
        ...

    async def stop_consuming(self, *, drain: float, queue: Queue | None = None) -> None:
        """Take no more messages of `queue`, or of any, and wait up to `drain` seconds for the running handlers."""
        ...

    def ready(self) -> bool:
        """Whether the broker is connected and every started consumer is really consuming."""
        ...

    async def dead_letters(self, queue: Queue, *, limit: int) -> Sequence[DeadLetter]:
        """The oldest `limit` dead letters of `queue`; they stay where they are.

        Raises `ConnectionError` where the broker does not answer.
        """
        ...

    async def replay_dead_letters(self, queue: Queue, *, limit: int) -> int:
        """Give the oldest `limit` dead letters of `queue` back to it; returns how many.

        Raises `ConnectionError` or `PublishUnconfirmed` where the broker does not answer; no letter is lost.
        """
        ...

    async def close(self) -> None:
        """Close the connections; running handlers must have been drained by `stop_consuming`."""
        ...
