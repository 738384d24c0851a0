"""Accounts: the tenants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.account import Account
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Unlimited:
    """In place of a quota: as many SMS segments as the account likes."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One account, for its operator."""

    id: UUID
    number: int
    name: str
    owner_email: str | None
    time_zone: str
    reminder_hour: int
    plan: str
    created_at: datetime


_INSERT: Final = """
insert into accounts (id, name, owner_email, time_zone, created_at)
values ($1, $2, $3, $4, coalesce($5::timestamptz, clock_timestamp()))
"""


async def insert(tx: Connection, *, name: str, owner_email: str | None, time_zone: str, now: datetime | None) -> UUID:
    """Add an account and return its id."""
    id = uuid7()
    await tx.execute(_INSERT, id, name, owner_email, time_zone, now)
    return id


_LIST: Final = """
select id, number, name, owner_email, time_zone, reminder_hour, plan, created_at from accounts
order by number limit $1 offset $2
"""


async def list_all(db: Connection, *, limit: int = 1_000, skip: int = 0) -> list[ListedAccount]:
    """Every account of this deployment, oldest first: for the operator, never for a caller."""
    return [ListedAccount(**dict(row)) for row in await db.fetch(_LIST, limit, skip)]


_GET: Final = """
select id, number, name, owner_email, time_zone, reminder_hour, plan, quota from accounts where id = $1
"""


async def get(db: Connection, id: UUID) -> Account:
    """The account of a proved caller; accounts are never removed."""
    return Account(**dict(await db.fetchrow(_GET, id)))


_CHANGE: Final = """
update accounts set owner_email = coalesce($2, owner_email), time_zone = coalesce($3, time_zone),
    reminder_hour = coalesce($4, reminder_hour), plan = coalesce($5, plan), quota = case when $7 then $6 else quota end
where id = $1 returning id
"""


async def change(
    tx: Connection,
    id: UUID,
    *,
    owner_email: str | None,
    time_zone: str | None,
    reminder_hour: int | None,
    plan: str | None,
    quota: int | Unlimited | None,
) -> bool:
    """Change what is not None; False where there is no such account."""
    limit = None if isinstance(quota, Unlimited) else quota
    changed = await tx.fetchval(_CHANGE, id, owner_email, time_zone, reminder_hour, plan, limit, quota is not None)
    return changed is not None


_READDRESS: Final = """
update reminders r set address = a.owner_email, updated_at = $2 from accounts a
where a.id = $1 and r.account_id = a.id and r.door = 'crm' and r.status = 'active' and r.address <> a.owner_email
"""


async def readdress(tx: Connection, id: UUID, *, now: datetime) -> None:
    """Send what goes to an account's owner to the address that the owner has now."""
    await tx.execute(_READDRESS, id, now)
