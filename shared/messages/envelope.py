"""The envelope around every message on the broker, and the one codec that writes and reads it.

The same frozen class is what the domain returns and what the wire carries: the codec derives from the class.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from shared.domain.events import Event
from shared.messages.catalogue import CATALOGUE, Message
from shared.messages.commands import SendDue


class UnknownType(Exception):
    """A type or version that this release does not know."""


class Undecodable(Exception):
    """Not an envelope, or data that does not fit its type; the reason holds no content."""


class Envelope(BaseModel):
    """`sequence` numbers the events of one subject from 1 without gaps; commands have 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: str
    version: int
    account_id: UUID | None
    at: datetime
    subject: UUID | None
    sequence: int
    data: dict[str, Any]

    @property
    def routing_key(self) -> str:
        return f"{self.type}.v{self.version}"


@cache
def _classes() -> dict[tuple[str, int], type[Message]]:
    return {(message.TYPE, message.VERSION): message for message in CATALOGUE}


@cache
def _adapter(routing_key: tuple[str, int]) -> TypeAdapter[Any]:
    return TypeAdapter(_classes()[routing_key])


def data_of(message: Message) -> bytes:
    """The message's fields as JSON: UUIDs as text, times as RFC 3339 in UTC with `Z`."""
    return orjson.dumps(message, option=orjson.OPT_UTC_Z)


def wrap(event: Event, *, event_id: UUID, account_id: UUID, at: datetime, sequence: int) -> Envelope:
    """An event in its envelope."""
    return Envelope(
        id=event_id,
        type=event.TYPE,
        version=event.VERSION,
        account_id=account_id,
        at=at,
        subject=event.subject(),
        sequence=sequence,
        data=orjson.loads(data_of(event)),
    )


def command(message: SendDue, *, command_id: UUID, at: datetime) -> Envelope:
    """A command in its envelope: it has neither an account nor a subject, and no place in a story."""
    return Envelope(
        id=command_id,
        type=message.TYPE,
        version=message.VERSION,
        account_id=None,
        at=at,
        subject=None,
        sequence=0,
        data=orjson.loads(data_of(message)),
    )


def encode(envelope: Envelope) -> bytes:
    """The body as it goes to the broker."""
    return orjson.dumps(envelope.model_dump(), option=orjson.OPT_UTC_Z)


def decode(body: bytes) -> Envelope:
    """Read a body. Raises `Undecodable`."""
    try:
        return Envelope.model_validate_json(body)
    except ValidationError as error:
        raise Undecodable(f"not an envelope: {error.error_count()} problems") from None


def unwrap(envelope: Envelope) -> Message:
    """The message inside. Raises `UnknownType`, `Undecodable`."""
    key = (envelope.type, envelope.version)
    if key not in _classes():
        raise UnknownType(envelope.routing_key)
    try:
        unwrapped: Message = _adapter(key).validate_python(envelope.data)
    except ValidationError as error:
        raise Undecodable(f"{envelope.routing_key}: {error.error_count()} problems in data") from None
    return unwrapped
