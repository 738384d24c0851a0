"""One believable message for each type, from which its golden file is written, once."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from shared.messages.catalogue import COMMANDS, Message
from shared.messages.commands import Due, SendDue
from shared.messages.envelope import Envelope, command, wrap


def _id(number: int) -> UUID:
    return UUID(f"0199a5d0-7c00-7000-8000-{number:012x}")


def _time(minute: int) -> datetime:
    return datetime(2026, 3, 2, 8, minute, 0, 250_000, tzinfo=UTC)


ACCOUNT_ID = _id(1)
MESSAGE_ID = _id(2)
AT = _time(31)

VALUES: dict[str, Any] = {
    "account_id": ACCOUNT_ID,
    "attempt": 1,
    "campaign_id": _id(3),
    "channel": "whatsapp",
    "contact_id": _id(4),
    "deleted_at": _time(31),
    "delivery_id": _id(5),
    "due": (Due(_id(10), 3), Due(_id(11), 1)),
    "endpoint_id": _id(6),
    "enrollment_id": _id(7),
    "event_id": _id(8),
    "event_type": "message.sent",
    "external_id": "invoice-2026-0042",
    "missed_due_dates": (date(2026, 1, 31), date(2026, 2, 28)),
    "next_send_at": _time(45),
    "occurrence_id": _id(10),
    "outcome": "prevented",
    "provider": "twilio",
    "provider_message_id": "SM0123456789abcdef",
    "reason": "the provider was not reachable",
    "reminder_id": _id(9),
    "retry_at": _time(32),
    "scheduled_for": _time(30),
    "sent_at": _time(31),
}
"""By field name; a new field needs an example here before `make golden` can write its file."""


def sample(kind: type[Message]) -> Envelope:
    """A message of this class in its envelope."""
    message: Any = kind(**{field.name: VALUES[field.name] for field in dataclasses.fields(kind)})
    if kind in COMMANDS:
        assert isinstance(message, SendDue)
        return command(message, command_id=MESSAGE_ID, at=AT)
    return wrap(message, event_id=MESSAGE_ID, account_id=ACCOUNT_ID, at=AT, sequence=1)
