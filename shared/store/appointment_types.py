"""Appointment types and the texts of their messages (C-20, C-21)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.booking import AppointmentMessage, AppointmentType, MessageType
from shared.store.database import Connection

_INSERT: Final = """
insert into appointment_types (id, account_id, type, created_at) values ($1, $2, $3, $4)
on conflict do nothing returning id
"""


async def insert(tx: Connection, type: str, *, account_id: UUID, now: datetime) -> AppointmentType | None:
    """A new type; None where the account has one of that name."""
    id: UUID | None = await tx.fetchval(_INSERT, uuid7(), account_id, type, now)
    return AppointmentType(id, type) if id is not None else None


_FIND: Final = "select id, type from appointment_types where account_id = $1 and (id = $2 or type = $3)"


async def find(
    db: Connection, *, account_id: UUID, id: UUID | None = None, type: str | None = None
) -> AppointmentType | None:
    """The type of that id or name."""
    row = await db.fetchrow(_FIND, account_id, id, type)
    return AppointmentType(**dict(row)) if row else None


_LIST: Final = "select id, type from appointment_types where account_id = $1 order by created_at, id limit $2 offset $3"


async def list_all(db: Connection, *, account_id: UUID, limit: int, skip: int) -> list[AppointmentType]:
    """Oldest first."""
    return [AppointmentType(**dict(row)) for row in await db.fetch(_LIST, account_id, limit, skip)]


_COUNT: Final = "select count(*) from appointment_types where account_id = $1"


async def count(db: Connection, *, account_id: UUID) -> int:
    """How many types an account has."""
    found: int = await db.fetchval(_COUNT, account_id)
    return found


_PUT: Final = """
insert into appointment_messages (type_id, account_id, message_type, text, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (type_id, message_type) do update set text = excluded.text, updated_at = excluded.updated_at
"""


async def put_message(tx: Connection, message: AppointmentMessage, *, account_id: UUID, now: datetime) -> None:
    """Register a text, in place of the one that there is."""
    await tx.execute(_PUT, message.type_id, account_id, message.message_type.value, message.text, now)


_MESSAGES: Final = """
select m.type_id, m.message_type, m.text from appointment_messages m join appointment_types t on t.id = m.type_id
where m.account_id = $1 and ($2::uuid is null or m.type_id = $2)
order by t.created_at, t.id, m.message_type
"""


async def messages(db: Connection, *, account_id: UUID, type_id: UUID | None) -> list[AppointmentMessage]:
    """The texts of one type, or of all."""
    rows = await db.fetch(_MESSAGES, account_id, type_id)
    return [AppointmentMessage(row["type_id"], MessageType(row["message_type"]), row["text"]) for row in rows]
