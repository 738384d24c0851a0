"""The three books that the checker compares: what callers were told, what the database holds, what others received.

Each is plain data. A test fills the client's while it calls (`tests.rig.client`), reads the database's at the end
(`tests.rig.rows`), and takes the provider's from its server (`provider_calls`). All clocks are those of one machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from tests.rig.provider_behaviour import Behaviour
from tests.rig.provider_server import Call

FAILING: Final = frozenset(Behaviour) - {Behaviour.ACCEPT, Behaviour.SLOW_DOWN, Behaviour.UNAUTHORIZED}
"""Answers of the provider that may use up one of a send's five failures."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request of a client and what it was told."""

    verb: str
    """create, cancel, delete or read."""
    external_id: str
    asked_at: datetime
    answered_at: datetime
    status: int | None
    """None where no answer came: whatever is true then, nothing was promised."""
    outcome: str | None = None
    """Of a cancel or a delete: prevented, in_flight or already_sent."""

    @property
    def promised(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def seconds(self) -> float:
        return (self.answered_at - self.asked_at).total_seconds()


@dataclass(frozen=True, slots=True)
class ReminderRow:
    id: UUID
    external_id: str | None
    status: str
    sequence: int
    on_unknown: str
    recurs: bool


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    id: UUID
    reminder_id: UUID
    seq: int
    scheduled_for: datetime
    state: str
    failures: int
    takes_key: bool
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    occurrence_id: UUID
    number: int
    started_at: datetime
    outcome: str
    reason: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of the outbox."""

    id: UUID
    type: str
    subject: UUID
    sequence: int
    published: bool
    account_id: UUID
    occurrence_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EndpointRow:
    id: UUID
    account_id: UUID
    event_types: tuple[str, ...]
    created_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: UUID
    endpoint_id: UUID
    event_id: UUID
    state: str
    attempt: int


@dataclass(frozen=True, slots=True)
class DeliveryAttemptRow:
    delivery_id: UUID
    number: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Rows:
    """The database's book."""

    reminders: Sequence[ReminderRow] = ()
    deleted: frozenset[str] = frozenset()
    """External ids of reminders that callers deleted."""
    occurrences: Sequence[OccurrenceRow] = ()
    attempts: Sequence[AttemptRow] = ()
    events: Sequence[EventRow] = ()
    endpoints: Sequence[EndpointRow] = ()
    deliveries: Sequence[DeliveryRow] = ()
    delivery_attempts: Sequence[DeliveryAttemptRow] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """One call that reached the provider, whose occurrence is known."""

    occurrence_id: UUID
    at: datetime
    key: str | None
    message_id: str | None
    """The message that it was taken as; None where it was refused."""
    repeat: bool
    """Its key was known: it made no message of its own."""
    failing: bool = False
    """It was answered in a way that may use up a failure."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a consumer of the broker, or one delivery as an endpoint, got it."""

    id: UUID
    """The event's, or the delivery's."""
    body: bytes
    endpoint_id: UUID | None = None
    """None: it came over the broker."""


@dataclass(slots=True)
class Ledgers:
    """All books of one run. What a run does not keep stays None, and is not asked about."""

    rows: Rows
    client: Sequence[Answered] | None = None
    provider: Sequence[Received] | None = None
    heard: Sequence[Heard] | None = None
    honours_keys: bool = True
    calmed_at: datetime | None = None
    """When the last fault had healed."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def provider_calls(calls: Iterable[Call], names: Mapping[str, UUID] | None = None) -> list[Received]:
    """The fake provider's ledger. Where its wire carries no occurrence id, `names` finds it by the message's text.

    Raises `KeyError` for a call that belongs to nothing.
    """
    return [
        Received(
            occurrence_id=UUID(call.occurrence_id) if call.occurrence_id else (names or {})[_text(call)],
            at=datetime.fromtimestamp(call.at, UTC),
            key=call.key,
            message_id=call.message_id,
            repeat=call.repeat,
            failing=Behaviour(call.behaviour) in FAILING,
        )
        for call in calls
    ]


def _text(call: Call) -> str:
    return str(call.message.get("Body") or call.message.get("text"))
