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
class ListedAccount:
    """One account, for its operator."""

    id: UUID
    number: int
    name: str
    owner_email: str | None
    time_zone: str
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
select id, number, name, owner_email, time_zone, plan, created_at from accounts order by number limit $1 offset $2
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
