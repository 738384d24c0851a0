"""Finds an account's reminders by what a caller can filter on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.domain.draft import Reminder
from shared.domain.reminder import Status
from shared.store.database import Connection
from shared.store.reminders import COLUMNS, PROGRESS, reminder_of


@dataclass(frozen=True, slots=True)
class Filter:
    """What is None does not filter."""

    agent_id: str | None = None
    configuration_id: str | None = None
    status: Status | None = None
    phone_digits: str | None = None
    """Of the national number or of the whole one (B-079)."""
    phone_contains: bool = False
    created_from: datetime | None = None
    """Inclusive."""
    created_before: datetime | None = None
    """Exclusive."""


_WHERE: Final = """
from reminders r
where r.account_id = $1 and r.door in ('integration', 'items')
  and (($2::text is null and $3::text is null) or r.configuration_id in (
      select c.id from configurations c where c.account_id = $1 and ($2::text is null or c.agent_id = $2)
          and ($3::text is null or c.configuration_id = $3)))
  and ($4::text is null or r.status = $4)
  and ($5::text is null or case when $6::boolean
      then substr(r.address, 2) like '%' || $5 || '%' or r.national_digits like '%' || $5 || '%'
      else r.address = '+' || $5 or r.national_digits in ($5, ltrim($5, '0')) end)
  and ($7::timestamptz is null or r.created_at >= $7)
  and ($8::timestamptz is null or r.created_at < $8)
"""


def _arguments(account_id: UUID, wanted: Filter) -> tuple[object, ...]:
    return (
        account_id,
        wanted.agent_id,
        wanted.configuration_id,
        wanted.status.value if wanted.status else None,
        wanted.phone_digits,
        wanted.phone_contains,
        wanted.created_from,
        wanted.created_before,
    )


_COUNT: Final = f"select count(*) {_WHERE}"


async def count(db: Connection, wanted: Filter, *, account_id: UUID) -> int:
    """How many match; `phone_digits` holds digits alone, so that nothing in it can be a wildcard."""
    found: int = await db.fetchval(_COUNT, *_arguments(account_id, wanted))
    return found


_PAGE: Final = f"""
with page as materialized (select r.* {_WHERE} order by r.created_at desc, r.id limit $9 offset $10)
select {COLUMNS}, progress.* from page r {PROGRESS} order by r.created_at desc, r.id
"""


async def page(db: Connection, wanted: Filter, *, account_id: UUID, limit: int, skip: int) -> list[Reminder]:
    """The newest first, in an order that never changes between pages."""
    rows = await db.fetch(_PAGE, *_arguments(account_id, wanted), limit, skip)
    return [reminder_of(row) for row in rows]
