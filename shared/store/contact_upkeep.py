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
from shared.store.occurrences import Mark

LONGEST_WAIT: Final = timedelta(days=1)
"""That a due date waits for sends that do not end, as those of a paused campaign."""

WINDOW: Final = 5_000
"""Contacts that one look reads, whether they can move on or wait for something."""

# `offset 0` has it asked of one contact after the other: joined, it reads all reminders that there are.
_OVER: Final = """
advance_at <= $1
  and (advance_at <= $1 - $2::interval or not exists (
      select from reminders r join occurrences o on o.reminder_id = r.id
      where r.contact_id = p.id and r.enrollment_id is not null and r.status = 'active' and o.scheduled_for <= $1
        and o.state in ('scheduled', 'queued', 'sending') offset 0))
"""

_PASSED: Final = f"""
select p.account_id, p.id
from (select account_id, id, advance_at from contacts
      where advance_at <= $1
        and (advance_at, id) > (coalesce($4::timestamptz, '-infinity'),
                                coalesce($5::uuid, '00000000-0000-0000-0000-000000000000'))
      order by advance_at, id limit $6) p
where {_OVER} order by p.advance_at, p.id limit $3
"""


async def passed(
    db: Connection, *, now: datetime, limit: int, after: Mark | None = None, window: int = WINDOW
) -> list[tuple[UUID, UUID]]:
    """(account, contact) of recurrent contacts whose due day is over; read without a lock, so look again under one.

    Those with a campaign's send that is due and not over wait for it, at most `LONGEST_WAIT` (B-116). It looks at
    `window` of them and no more, the oldest behind `after` (`advance_at` and id), however many wait.
    """
    rows = await db.fetch(_PASSED, now, LONGEST_WAIT, limit, *(after or (None, None)), window)
    return [(row["account_id"], row["id"]) for row in rows]


_END_OF_WINDOW: Final = """
select advance_at, id from contacts
where advance_at <= $1
  and (advance_at, id) > (coalesce($2::timestamptz, '-infinity'),
                          coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
order by advance_at, id offset $4::int - 1 limit 1
"""


async def end_of_window(db: Connection, *, now: datetime, after: Mark | None, window: int = WINDOW) -> Mark | None:
    """The last that such a look reads, or None where it comes to the end of those whose day is over."""
    row = await db.fetchrow(_END_OF_WINDOW, now, *(after or (None, None)), window)
    return (row["advance_at"], row["id"]) if row else None


_TAKE: Final = f"""
select {COLUMNS}, (select a.time_zone from accounts a where a.id = account_id) as account_zone
from contacts p where {_OVER} and account_id = $3 and id = $4 for update of p skip locked
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
