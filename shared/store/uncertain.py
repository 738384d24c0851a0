"""Parked sends: listed for the people whose they are, and found for those who settle them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Parked:
    """A send that may or may not have been made."""

    id: UUID
    """The occurrence's."""
    account_id: UUID
    reminder_id: UUID
    external_id: str | None
    channel: str
    provider: str
    attempt: int
    """The number of the call whose answer was lost."""
    scheduled_for: datetime
    started_at: datetime
    parked_at: datetime
    reason: str | None


_COLUMNS: Final = """o.id, o.account_id, o.reminder_id, r.external_id, r.channel, coalesce(o.provider, '') as provider,
    o.attempt, o.scheduled_for, coalesce(o.attempt_started_at, o.ended_at) as started_at, o.ended_at as parked_at,
    o.reason"""

_PAGE: Final = f"""
select {_COLUMNS} from occurrences o join reminders r on r.id = o.reminder_id
where o.account_id = $1 and o.state = 'uncertain'
order by o.ended_at, o.id limit $2 offset $3
"""


async def page(db: Connection, *, account_id: UUID, limit: int, skip: int) -> list[Parked]:
    """An account's, the oldest first."""
    return [Parked(**dict(row)) for row in await db.fetch(_PAGE, account_id, limit, skip)]


_COUNT: Final = "select count(*) from occurrences where account_id = $1 and state = 'uncertain'"


async def count(db: Connection, *, account_id: UUID) -> int:
    """How many an account has."""
    counted: int = await db.fetchval(_COUNT, account_id)
    return counted


_GET: Final = f"""
select {_COLUMNS} from occurrences o join reminders r on r.id = o.reminder_id
where o.account_id = $1 and o.id = $2 and o.state = 'uncertain'
"""


async def get(db: Connection, *, account_id: UUID, id: UUID) -> Parked | None:
    """One of an account's."""
    row = await db.fetchrow(_GET, account_id, id)
    return Parked(**dict(row)) if row else None


_OLDEST: Final = f"""
select {_COLUMNS} from occurrences o join reminders r on r.id = o.reminder_id
where o.state = 'uncertain' and ($1::uuid is null or o.account_id = $1)
order by o.ended_at, o.id limit $2
"""


async def oldest(db: Connection, *, account_id: UUID | None, limit: int) -> list[Parked]:
    """Those of every account, or of one: for an operator."""
    return [Parked(**dict(row)) for row in await db.fetch(_OLDEST, account_id, limit)]


_WHOSE: Final = """
select o.account_id, o.reminder_id from occurrences o where o.id = $1 and ($2::uuid is null or o.account_id = $2)
"""


async def whose(db: Connection, occurrence_id: UUID, *, account_id: UUID | None) -> tuple[UUID, UUID] | None:
    """(account, reminder) of a send, parked or not; None where there is none in that account, or in any."""
    row = await db.fetchrow(_WHOSE, occurrence_id, account_id)
    return (row["account_id"], row["reminder_id"]) if row else None
