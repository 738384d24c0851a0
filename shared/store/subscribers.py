"""What a fan-out needs to know: who wants an event, and the facts that a body tells and the thin event does not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An endpoint, as far as choosing goes."""

    id: UUID
    account_id: UUID
    configuration_id: UUID | None
    format: str
    event_types: tuple[str, ...]


_SUBSCRIBERS: Final = """
select id, account_id, configuration_id, format, event_types from endpoints
where account_id = any($1) and event_types && $2::text[]
"""


async def subscribers(db: Connection, *, account_ids: Collection[UUID], types: Collection[str]) -> list[Subscriber]:
    """The endpoints of these accounts that want any of these types, disabled ones too: theirs are held."""
    rows = await db.fetch(_SUBSCRIBERS, list(account_ids), list(types))
    return [Subscriber(**{**dict(row), "event_types": tuple(row["event_types"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class ReminderFacts:
    """A reminder as it is now."""

    id: UUID
    account_id: UUID
    configuration_id: UUID
    external_id: str | None
    channel: str
    address: str
    status: str
    time_zone: str
    created_at: datetime
    updated_at: datetime
    next_send_at: datetime | None
    contact_id: UUID | None = None


_REMINDERS: Final = """
select r.id, r.account_id, r.configuration_id, r.external_id, r.channel, r.address, r.status, r.time_zone,
    r.created_at, r.updated_at, r.contact_id,
    (select min(o.scheduled_for) from occurrences o
     where o.reminder_id = r.id and o.state in ('scheduled', 'queued', 'sending')) as next_send_at
from reminders r where r.id = any($1) and r.account_id = any($2)
"""


async def reminders(
    db: Connection, *, account_ids: Collection[UUID], ids: Collection[UUID]
) -> dict[UUID, ReminderFacts]:
    """Those of these reminders that still exist."""
    rows = await db.fetch(_REMINDERS, list(ids), list(account_ids))
    return {row["id"]: ReminderFacts(**dict(row)) for row in rows}


_SENT_AT: Final = """
select id, ended_at from occurrences where id = any($1) and account_id = any($2) and state = 'sent'
"""


async def sent_at(
    db: Connection, *, account_ids: Collection[UUID], occurrence_ids: Collection[UUID]
) -> dict[UUID, datetime]:
    """When those of these occurrences that were sent were sent."""
    rows = await db.fetch(_SENT_AT, list(occurrence_ids), list(account_ids))
    return {row["id"]: row["ended_at"] for row in rows}
