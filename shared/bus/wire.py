"""Between `BusMessage` and what travels over AMQP, dead letters included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from shared.bus.bus import BusMessage, DeadLetter, Queue, Undeliverable
from shared.bus.topology import dead_name

DEFAULT_EXCHANGE: Final = ""
"""The default exchange: it routes to the queue whose name is the routing key."""

# A dead letter carries where it came from and why; a replayed one keeps the two addresses.
DEAD_REASON: Final = "belltower-dead-reason"
DEAD_QUEUE: Final = "belltower-dead-queue"
DEAD_AT: Final = "belltower-dead-at"
FIRST_EXCHANGE: Final = "belltower-exchange"
FIRST_ROUTING_KEY: Final = "belltower-routing-key"

BROKER_HEADERS: Final = ("x-death", "x-first-death", "x-last-death")
"""What the broker notes on a message that it moves; it is none of the message's own."""

BROKER_REASONS: Final = {"delivery_limit": "delivered too often without an answer"}


def outgoing(message: BusMessage) -> Message:
    """Persistent, because the default of AMQP is not."""
    return Message(
        message.body,
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=str(message.id),
        headers=dict(message.headers),
    )


def incoming(delivered: AbstractIncomingMessage) -> BusMessage:
    """Read a delivery; raises `Undeliverable` where it has no usable id."""
    headers = _text_headers(delivered)
    try:
        message_id = UUID(delivered.message_id)
    except (ValueError, TypeError, AttributeError):
        raise Undeliverable("the message id is not a UUID") from None
    return BusMessage(
        exchange=headers.pop(FIRST_EXCHANGE, delivered.exchange or ""),
        routing_key=headers.pop(FIRST_ROUTING_KEY, delivered.routing_key or ""),
        id=message_id,
        body=delivered.body,
        headers=headers,
    )


def dying(delivered: AbstractIncomingMessage, queue: Queue, reason: str) -> BusMessage:
    """The message to publish to `queue`'s dead letters, whatever state the delivery is in."""
    headers = _text_headers(delivered)
    routing_key = headers.get(FIRST_ROUTING_KEY, delivered.routing_key or "")
    headers |= {
        FIRST_EXCHANGE: headers.get(FIRST_EXCHANGE, delivered.exchange or ""),
        FIRST_ROUTING_KEY: routing_key,
        DEAD_REASON: reason,
        DEAD_QUEUE: queue.name,
        DEAD_AT: datetime.now(UTC).isoformat(),
    }
    return BusMessage(dead_name(queue), routing_key, _id_or_new(delivered), delivered.body, headers)


def dead_letter(delivered: AbstractIncomingMessage, queue: Queue) -> DeadLetter:
    """Read a dead letter, be it ours or one that the broker moved by itself."""
    headers = _text_headers(delivered)
    death = _broker_death(delivered)
    when = headers.get(DEAD_AT)
    return DeadLetter(
        id=_id_or_new(delivered),
        queue=headers.get(DEAD_QUEUE, queue.name),
        routing_key=headers.get(FIRST_ROUTING_KEY, delivered.routing_key or ""),
        reason=headers.get(DEAD_REASON) or BROKER_REASONS.get(str(death.get("reason")), "rejected"),
        dead_at=datetime.fromisoformat(when) if when else _aware(death.get("time")),
        body=delivered.body,
    )


def revived(delivered: AbstractIncomingMessage, queue: Queue) -> BusMessage:
    """The message to publish to give a dead letter back to `queue`, and to no other queue."""
    headers = _text_headers(delivered)
    headers.setdefault(FIRST_EXCHANGE, queue.exchange)
    headers.setdefault(FIRST_ROUTING_KEY, delivered.routing_key or "")
    for name in (DEAD_REASON, DEAD_QUEUE, DEAD_AT):
        headers.pop(name, None)
    return BusMessage(DEFAULT_EXCHANGE, queue.name, _id_or_new(delivered), delivered.body, headers)


def _text_headers(delivered: AbstractIncomingMessage) -> dict[str, str]:
    return {
        name: value
        for name, value in delivered.headers.items()
        if isinstance(value, str) and not name.startswith(BROKER_HEADERS)
    }


def _id_or_new(delivered: AbstractIncomingMessage) -> UUID:
    try:
        return UUID(delivered.message_id)
    except (ValueError, TypeError, AttributeError):
        return uuid4()


def _broker_death(delivered: AbstractIncomingMessage) -> dict[str, object]:
    deaths = delivered.headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    return dict(first) if isinstance(first, dict) else {}


def _aware(moment: object) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
