"""Counts of a configuration's reminders, for a dashboard (C-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Numbers:
    total: int
    active: int
    pending: int
    """Active, with a send that is due and not made."""
    completed: int
    expired: int
    cancelled: int
    recent: int
    """Created in the last seven days."""


_COUNT: Final = """
select count(*) as total,
    count(*) filter (where r.status = 'active') as active,
    count(*) filter (where r.status = 'active' and exists (
        select from occurrences o where o.reminder_id = r.id and o.due_at <= $3
            and o.state in ('scheduled', 'queued', 'sending'))) as pending,
    count(*) filter (where r.status = 'completed') as completed,
    count(*) filter (where r.status = 'expired') as expired,
    count(*) filter (where r.status = 'cancelled') as cancelled,
    count(*) filter (where r.created_at > $3 - interval '7 days') as recent
from reminders r where r.account_id = $1 and r.configuration_id = $2
"""


async def count(db: Connection, *, account_id: UUID, configuration_id: UUID, now: datetime) -> Numbers:
    """Counted now, from the rows."""
    row = await db.fetchrow(_COUNT, account_id, configuration_id, now)
    return Numbers(**dict(row))


_BUSY: Final = """
select count(*) from reminders r where r.account_id = $1 and r.configuration_id = $2
    and (r.status = 'active' or exists (
        select from occurrences o where o.reminder_id = r.id and o.state in ('scheduled', 'queued', 'sending')))
"""


async def busy(tx: Connection, *, account_id: UUID, configuration_id: UUID) -> int:
    """How many reminders of a configuration are not over."""
    found: int = await tx.fetchval(_BUSY, account_id, configuration_id)
    return found
