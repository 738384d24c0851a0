"""Finds the reminders of appointments. Rows that are about one, such as its confirmation, are none themselves."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from shared.domain.draft import Reminder
from shared.store.database import Connection
from shared.store.reminders import COLUMNS, PROGRESS, reminder_of

_LIVE: Final = """
select id from reminders where account_id = $1 and contact_id = $2 and external_id = $3
    and door = 'appointments' and status <> 'cancelled'
"""


async def live(db: Connection, *, account_id: UUID, contact_id: UUID, external_id: str) -> UUID | None:
    """The reminder that a contact has for this appointment of the caller's, unless it was cancelled (B-212)."""
    id: UUID | None = await db.fetchval(_LIVE, account_id, contact_id, external_id)
    return id


_TOLD_AT_BOOKING: Final = """
select m.id from reminders r
join reminders m on m.account_id = r.account_id and m.created_at = r.created_at and m.details ->> 'about' = r.id::text
where r.account_id = $1 and r.id = $2 and m.status = 'active'
"""


async def told_at_booking(db: Connection, *, account_id: UUID, id: UUID) -> list[UUID]:
    """The messages about an appointment that were made with it and are not over; they have its very instant."""
    return [row["id"] for row in await db.fetch(_TOLD_AT_BOOKING, account_id, id)]


_WHERE: Final = """
from reminders r where r.account_id = $1 and r.door = 'appointments' and not r.details ? 'about'
    and ($2::text is null or r.external_id = $2) and ($3::text is null or r.address = $3)
"""

_COUNT: Final = f"select count(*) {_WHERE}"


async def count(db: Connection, *, account_id: UUID, external_id: str | None, address: str | None) -> int:
    """How many reminders of appointments there are; None is any."""
    found: int = await db.fetchval(_COUNT, account_id, external_id, address)
    return found


_PAGE: Final = f"""
with page as materialized (select r.* {_WHERE} order by r.created_at desc, r.id limit $4 offset $5)
select {COLUMNS}, progress.* from page r {PROGRESS} order by r.created_at desc, r.id
"""


async def page(
    db: Connection, *, account_id: UUID, external_id: str | None, address: str | None, limit: int, skip: int
) -> list[Reminder]:
    """The newest first, in an order that never changes between pages."""
    rows = await db.fetch(_PAGE, account_id, external_id, address, limit, skip)
    return [reminder_of(row) for row in rows]
