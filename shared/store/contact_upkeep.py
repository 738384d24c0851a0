"""What happens to contacts beside what callers change: due dates that move on, and what goes with a contact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.domain.contact import Contact
from shared.domain.reminder import Status
from shared.store.contacts import COLUMNS, contact_of
from shared.store.database import Connection

LONGEST_WAIT: Final = timedelta(days=1)
"""That a due date waits for sends that do not end, as those of a paused campaign."""

_OVER: Final = """
from contacts p
where advance_at <= $1
  and (advance_at <= $1 - $2::interval or not exists (
      select from reminders r join occurrences o on o.reminder_id = r.id
      where r.contact_id = p.id and r.enrollment_id is not null and r.status = 'active' and o.scheduled_for <= $1
        and o.state in ('scheduled', 'queued', 'sending')))
"""

_PASSED: Final = f"select account_id, id {_OVER} order by advance_at, id limit $3"


async def passed(db: Connection, *, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(account, contact) of recurrent contacts whose due day is over; read without a lock, so look again under one.

    Those with a campaign's send that is due and not over wait for it, at most `LONGEST_WAIT` (B-116).
    """
    return [(row["account_id"], row["id"]) for row in await db.fetch(_PASSED, now, LONGEST_WAIT, limit)]


_TAKE: Final = f"""
select {COLUMNS}, (select a.time_zone from accounts a where a.id = account_id) as account_zone
{_OVER} and account_id = $3 and id = $4 for update of p skip locked
"""


async def take(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> tuple[Contact, str] | None:
    """One of them, locked, with its account's zone; None where another holds it or has moved it on."""
    row = await tx.fetchrow(_TAKE, now, LONGEST_WAIT, account_id, id)
    if row is None:
        return None
    values = dict(row)
    account_zone = values.pop("account_zone")
    return contact_of(values), account_zone


_POSTPONE: Final = "update contacts set advance_at = $3 where account_id = $1 and id = $2"


async def postpone(tx: Connection, contact: Contact, *, until: datetime) -> None:
    """Look at a held contact again later."""
    await tx.execute(_POSTPONE, contact.account_id, contact.id, until)


@dataclass(frozen=True, slots=True)
class Owned:
    """A contact's reminder, as far as its removal goes."""

    id: UUID
    configuration_id: UUID
    door: str
    status: Status


_REMINDERS: Final = """
select id, configuration_id, door, status from reminders where account_id = $1 and contact_id = $2
order by id for update
"""


async def reminders(tx: Connection, *, account_id: UUID, contact_id: UUID) -> list[Owned]:
    """A contact's reminders at all doors, locked."""
    rows = await tx.fetch(_REMINDERS, account_id, contact_id)
    return [Owned(**{**dict(row), "status": Status(row["status"])}) for row in rows]


_ERASE: Final = """
with gone as (
    delete from reminders where account_id = $1 and id = any($2) returning id, account_id, external_id, sequence),
remembered as (
    insert into deleted_reminders (id, account_id, external_id, sequence, deleted_at)
    select id, account_id, external_id, sequence + 1, $3 from gone)
select id, external_id, sequence + 1 as sequence from gone order by id
"""


async def erase(
    tx: Connection, reminder_ids: Sequence[UUID], *, account_id: UUID, now: datetime
) -> list[tuple[UUID, str | None, int]]:
    """Remove held reminders with their sends, attempts and history; (id, caller's id, number of its last event)."""
    rows = await tx.fetch(_ERASE, account_id, list(reminder_ids), now)
    return [(row["id"], row["external_id"], row["sequence"]) for row in rows]
