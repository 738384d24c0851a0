"""What the sandbox provider was given, for a person to look at. Unique by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """One message as the sandbox got it."""

    key: str
    account_id: UUID
    occurrence_id: UUID
    reminder_id: UUID
    external_id: str
    channel: str
    address: str
    template: str | None
    language: str | None
    parameters: list[str]
    text: str | None
    subject: str | None
    scheduled_for: datetime


@dataclass(frozen=True, slots=True)
class KeptMessage(SandboxMessage):
    """With what the sandbox added."""

    received_at: datetime
    message_id: str


_KEEP: Final = """
insert into sandbox_messages (key, account_id, occurrence_id, reminder_id, external_id, channel, address, template,
    language, parameters, text, subject, scheduled_for, received_at, message_id)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp(), $14
from (select from reminders where id = $4 for key share) still_there
on conflict (key) do update set key = excluded.key
returning message_id
"""


async def keep(db: Connection, message: SandboxMessage) -> str:
    """Keep `message` and return its id; the same key again returns the first one's id.

    Of a reminder that was removed meanwhile nothing is kept: its person may have been erased.
    """
    fresh = f"sandbox_{uuid7().hex}"
    message_id: str | None = await db.fetchval(
        _KEEP,
        message.key,
        message.account_id,
        message.occurrence_id,
        message.reminder_id,
        message.external_id,
        message.channel,
        message.address,
        message.template,
        message.language,
        message.parameters,
        message.text,
        message.subject,
        message.scheduled_for,
        fresh,
    )
    return message_id or fresh


_NEWEST: Final = """
select key, account_id, occurrence_id, reminder_id, external_id, channel, address, template, language, parameters,
    text, subject, scheduled_for, received_at, message_id
from sandbox_messages where account_id = $1 order by received_at desc limit $2
"""


async def newest(db: Connection, *, account_id: UUID, limit: int) -> list[KeptMessage]:
    """An account's newest messages first."""
    return [KeptMessage(**dict(row)) for row in await db.fetch(_NEWEST, account_id, limit)]
