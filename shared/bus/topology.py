"""Exchanges, queues and bindings on RabbitMQ. Every process declares all of it, so that an event always has
a queue to go to, whichever service starts first."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from aio_pika.exceptions import ChannelPreconditionFailed

from shared.bus.bus import COMMANDS, EVENTS, Queue

DELIVERY_LIMIT: Final = 1000
"""Only a backstop: a small limit dead-letters healthy messages that killed consumers had prefetched."""

DEAD_DELIVERY_LIMIT: Final = 1_000_000_000
"""Listing dead letters redelivers them, and newer brokers drop a message after 20 times unless told."""

DECLARE_TIMEOUT: Final = 5.0

Arguments = dict[str, str | int]
T = TypeVar("T")


class TopologyMismatch(Exception):
    """The broker holds a queue or exchange of this name with other arguments; only an operator can decide."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the broker's {name!r} was declared with other arguments than Belltower's; "
            "drain it, delete it and start again"
        )
        self.name = name


def dead_name(queue: Queue) -> str:
    """The name of both the exchange and the queue that take what `queue`'s consumer could not."""
    return f"{queue.name}.dead"


def queue_arguments(queue: Queue) -> Arguments:
    """At-least-once dead-lettering needs a quorum queue, `reject-publish` and RabbitMQ 3.10."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": dead_name(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def dead_queue_arguments() -> Arguments:
    """No length limit and no expiry: a dead letter stays until somebody looks."""
    return {"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT}


async def declare(channel: AbstractChannel, queues: Sequence[Queue]) -> None:
    """Declare everything; raises `TopologyMismatch`, which closes `channel`, or what the library raises when the
    broker goes away."""
    for exchange in (EVENTS, COMMANDS):
        await _exchange(channel, exchange, ExchangeType.TOPIC)
    for queue in queues:
        dead = dead_name(queue)
        # A fanout keeps the routing key of the dead letter.
        await _exchange(channel, dead, ExchangeType.FANOUT)
        declared = await _queue(channel, dead, dead_queue_arguments())
        await declared.bind(dead, routing_key="", timeout=DECLARE_TIMEOUT)
        declared = await _queue(channel, queue.name, queue_arguments(queue))
        await declared.bind(queue.exchange, queue.binding, timeout=DECLARE_TIMEOUT)


async def _exchange(channel: AbstractChannel, name: str, kind: ExchangeType) -> None:
    await _or_mismatch(name, channel.declare_exchange(name, kind, durable=True, timeout=DECLARE_TIMEOUT))


async def _queue(channel: AbstractChannel, name: str, arguments: Arguments) -> AbstractQueue:
    declaring = channel.declare_queue(name, durable=True, arguments=dict(arguments), timeout=DECLARE_TIMEOUT)
    return await _or_mismatch(name, declaring)


async def _or_mismatch(name: str, declaring: Awaitable[T]) -> T:
    try:
        return await declaring
    except ChannelPreconditionFailed:
        raise TopologyMismatch(name) from None
