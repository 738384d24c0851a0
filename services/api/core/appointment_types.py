"""What appointments are of, and the texts of their messages (C-20, C-21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.domain.booking import AppointmentMessage, AppointmentType, MessageType
from shared.domain.refusal import Invalid, NotFound, Problem
from shared.store import appointment_types as store
from shared.store.database import Connection


async def create_type(tx: Connection, type: str, *, account_id: UUID, now: datetime) -> AppointmentType:
    """A new type, or the one that has this name already: a request may come twice."""
    kept = await store.insert(tx, type, account_id=account_id, now=now)
    return kept or await _the(tx, account_id=account_id, type=type)


async def get_type(db: Connection, *, account_id: UUID, id: UUID | None) -> AppointmentType:
    """Raises `NotFound`."""
    return await _the(db, account_id=account_id, id=id)


async def list_types(
    db: Connection, *, account_id: UUID, limit: int, skip: int
) -> tuple[Sequence[AppointmentType], int]:
    """One page, oldest first, and how many there are."""
    found = await store.list_all(db, account_id=account_id, limit=limit, skip=skip)
    return found, await store.count(db, account_id=account_id)


async def put_message(
    tx: Connection, *, account_id: UUID, type_id: UUID | None, message_type: MessageType, text: str, now: datetime
) -> AppointmentMessage:
    """Register a text, in place of the one that there is; reminders that exist keep theirs. Raises `Invalid`."""
    kind = await type_meant(tx, account_id=account_id, id=type_id)
    message = AppointmentMessage(kind.id, message_type, text)
    await store.put_message(tx, message, account_id=account_id, now=now)
    return message


async def list_messages(db: Connection, *, account_id: UUID, type_id: UUID | None) -> Sequence[AppointmentMessage]:
    """The texts of one type, or of all."""
    return await store.messages(db, account_id=account_id, type_id=type_id)


async def messages_of(db: Connection, *, account_id: UUID, type_id: UUID | None) -> dict[MessageType, str]:
    """The texts of the type that a body names. Raises `Invalid` where there is no such type (B-218)."""
    kind = await type_meant(db, account_id=account_id, id=type_id)
    found = await store.messages(db, account_id=account_id, type_id=kind.id)
    return {message.message_type: message.text for message in found}


async def type_meant(db: Connection, *, account_id: UUID, id: UUID | None) -> AppointmentType:
    """The type that a body names: unknown, the body is wrong (B-218). Raises `Invalid`."""
    found = await store.find(db, account_id=account_id, id=id) if id is not None else None
    if found is None:
        raise Invalid([Problem("event_type", "no appointment type has this uuid", "unknown_event_type")])
    return found


async def _the(db: Connection, *, account_id: UUID, id: UUID | None = None, type: str | None = None) -> AppointmentType:
    found = await store.find(db, account_id=account_id, id=id, type=type)
    if found is None:
        raise NotFound("appointment_type")
    return found
