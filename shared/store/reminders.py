"""Reminders: read with how far they are, locked, given a status, removed. `drafts` writes what callers ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.domain.draft import Category, Reminder
from shared.domain.recipient import Channel
from shared.domain.reminder import Status
from shared.store.database import Connection

_LOCK: Final = "select id from reminders where account_id = $1 and id = $2 for update"


async def lock(tx: Connection, *, account_id: UUID, id: UUID) -> bool:
    """Hold a reminder: until the end nobody else changes or ends it. False where it is gone."""
    return await tx.fetchval(_LOCK, account_id, id) is not None


_LOCK_NAMED: Final = """
select id from reminders where account_id = $1 and configuration_id = $2 and external_id = $3
    and door in ('integration', 'items')
for update
"""


async def lock_named(tx: Connection, *, account_id: UUID, configuration_id: UUID, external_id: str) -> UUID | None:
    """The same by its caller's id: ours, or None where it is not there."""
    id: UUID | None = await tx.fetchval(_LOCK_NAMED, account_id, configuration_id, external_id)
    return id


COLUMNS: Final = """r.id, r.number, r.account_id, r.configuration_id, r.door, r.external_id, r.channel, r.address,
    r.country_code, r.phone_number, r.national_digits, r.recipient_name, r.template_name, r.parameters, r.text,
    r.subject, r.category, r.contact_id, r.enrollment_id, r.birthday, r.details, r.schedule as schedule_json,
    r.time_zone, r.status, r.fingerprint, r.sequence, r.last_send_at, r.last_attempts, r.created_at, r.updated_at"""

PROGRESS: Final = """cross join lateral (
    select min(o.scheduled_for) filter (where r.status = 'active' and o.state in ('scheduled', 'queued', 'sending'))
               as next_send_at,
           max(o.scheduled_for) filter (where o.state = 'sent') as last_sent_for,
           count(*) filter (where o.state = 'sent') as sent,
           count(*) filter (where o.state in ('skipped', 'expired')) as skipped
    from occurrences o where o.reminder_id = r.id) progress"""
"""Beside `reminders r`: how far it is."""


def reminder_of(row: Any) -> Reminder:
    """The reminder in a row with `COLUMNS` and `PROGRESS`."""
    values = dict(row)
    values["channel"] = Channel(row["channel"])
    values["category"] = Category(row["category"])
    values["status"] = Status(row["status"])
    values["parameters"] = tuple(row["parameters"])
    return Reminder(**values)


_GET: Final = f"""
select {COLUMNS}, progress.* from reminders r {PROGRESS}
where r.account_id = $1 and r.configuration_id = $2 and r.external_id = $3 and r.door in ('integration', 'items')
"""


async def get(db: Connection, *, account_id: UUID, configuration_id: UUID, external_id: str) -> Reminder | None:
    """A reminder by its caller's id within a configuration."""
    row = await db.fetchrow(_GET, account_id, configuration_id, external_id)
    return reminder_of(row) if row else None


_GET_BY_ID: Final = f"""
select {COLUMNS}, progress.* from reminders r {PROGRESS} where r.account_id = $1 and r.id = $2
"""


async def get_by_id(db: Connection, *, account_id: UUID, id: UUID) -> Reminder | None:
    """A reminder by our own id."""
    row = await db.fetchrow(_GET_BY_ID, account_id, id)
    return reminder_of(row) if row else None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reminder is: the same caller's id may stand in several configurations of an account."""

    id: UUID
    external_id: str
    agent_id: str
    configuration_id: str


_FIND: Final = """
select r.id, r.external_id, c.agent_id, c.configuration_id
from configurations c
join reminders r on r.configuration_id = c.id and r.external_id = any($2) and r.door in ('integration', 'items')
where c.account_id = $1 and ($3::text is null or c.agent_id = $3) and ($4::text is null or c.configuration_id = $4)
"""


async def find(
    db: Connection,
    *,
    account_id: UUID,
    external_ids: Sequence[str],
    agent_id: str | None,
    configuration_id: str | None,
) -> list[Address]:
    """An account's reminders with those callers' ids; None is any agent, any configuration."""
    rows = await db.fetch(_FIND, account_id, list(external_ids), agent_id, configuration_id)
    return [Address(**dict(row)) for row in rows]


_STAND: Final = """
update reminders set status = $3, sequence = $4, last_attempts = case when $5 then 0 else last_attempts end,
    ended_at = case when $3 = 'active' then null else coalesce(ended_at, $6) end, updated_at = $6
where account_id = $1 and id = $2
"""


async def stand(
    tx: Connection, *, account_id: UUID, id: UUID, status: Status, sequence: int, afresh: bool, now: datetime
) -> None:
    """Set a held reminder's status and the number of its newest event; `afresh` forgets failed attempts."""
    await tx.execute(_STAND, account_id, id, status.value, sequence, afresh, now)


_DELETE: Final = """
with gone as (delete from reminders where account_id = $1 and id = $2 returning id, account_id, external_id)
insert into deleted_reminders (id, account_id, external_id, sequence, deleted_at)
select id, account_id, external_id, $3, $4 from gone
"""


async def delete(tx: Connection, *, account_id: UUID, id: UUID, sequence: int, now: datetime) -> None:
    """Remove a held reminder with all that hangs on it; its id and the number of its newest event stay behind."""
    await tx.execute(_DELETE, account_id, id, sequence, now)
