"""Enrolments: who is in which campaign, and which of their plans are stale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.campaign import Campaign
from shared.domain.contact import Contact
from shared.store import contacts
from shared.store.campaigns import COLUMNS, campaign_of
from shared.store.database import Connection

_FIND: Final = """
select id from enrollments where account_id = $1 and campaign_id = $2 and contact_id = $3
"""


async def find(db: Connection, *, account_id: UUID, campaign_id: UUID, contact_id: UUID) -> UUID | None:
    """The enrolment of a contact in a campaign."""
    id: UUID | None = await db.fetchval(_FIND, account_id, campaign_id, contact_id)
    return id


_INSERT: Final = """
insert into enrollments (id, account_id, campaign_id, contact_id, created_at) values ($1, $2, $3, $4, $5)
"""


async def insert(tx: Connection, *, account_id: UUID, campaign_id: UUID, contact_id: UUID, now: datetime) -> UUID:
    """Enrol a held contact in a held campaign, and return the enrolment's id."""
    id = uuid7()
    await tx.execute(_INSERT, id, account_id, campaign_id, contact_id, now)
    return id


@dataclass(frozen=True, slots=True)
class Arming:
    """One enrolment with what its planned sends follow from."""

    id: UUID
    contact_id: UUID
    campaign: Campaign
    time_zone: str
    """The account's, for contacts without one."""
    reminder_hour: int
    reminder_id: UUID | None
    """None before anything was planned."""


_ARMINGS: Final = f"""
select e.id as enrollment_id, e.contact_id, {COLUMNS}, a.time_zone, a.reminder_hour, r.id as reminder_id
from enrollments e
join campaigns g on g.id = e.campaign_id
join accounts a on a.id = e.account_id
left join reminders r on r.enrollment_id = e.id
where e.account_id = $1 and e.contact_id = $2 and ($3::uuid[] is null or e.id = any($3))
order by e.id
"""


async def armings(
    tx: Connection, *, account_id: UUID, contact_id: UUID, ids: Sequence[UUID] | None = None
) -> list[Arming]:
    """The enrolments of a held contact, or those with these ids."""
    rows = await tx.fetch(_ARMINGS, account_id, contact_id, None if ids is None else list(ids))
    return [
        Arming(
            id=row["enrollment_id"],
            contact_id=row["contact_id"],
            campaign=campaign_of(row),
            time_zone=row["time_zone"],
            reminder_hour=row["reminder_hour"],
            reminder_id=row["reminder_id"],
        )
        for row in rows
    ]


# Those that are stale already are written too: one that is being armed from the old campaign is stale again.
_MARK_STALE: Final = "update enrollments set stale = true where account_id = $1 and campaign_id = $2"


async def mark_stale(tx: Connection, *, account_id: UUID, campaign_id: UUID) -> None:
    """None of a changed campaign's planned sends is claimed before its enrolment is armed anew."""
    await tx.execute(_MARK_STALE, account_id, campaign_id)


_STALE: Final = """
select distinct account_id, contact_id from (
    select account_id, contact_id from enrollments where stale and contact_id <> all($2)
    order by created_at, id limit $1) oldest
order by account_id, contact_id
"""


async def stale(db: Connection, *, limit: int, but: Collection[UUID] = ()) -> dict[UUID, list[UUID]]:
    """Contacts of the oldest stale enrolments, those in `but` left out, by account; read without a lock."""
    found: dict[UUID, list[UUID]] = {}
    for row in await db.fetch(_STALE, limit, list(but)):
        found.setdefault(row["account_id"], []).append(row["contact_id"])
    return found


_HOLD_CONTACTS: Final = f"""
select {contacts.COLUMNS} from contacts where account_id = $1 and id = any($2) order by id for update skip locked
"""


async def hold_contacts(tx: Connection, contact_ids: Sequence[UUID], *, account_id: UUID) -> list[Contact]:
    """Those of these contacts that nobody else holds, locked; the next look finds the others."""
    return [contacts.contact_of(row) for row in await tx.fetch(_HOLD_CONTACTS, account_id, list(contact_ids))]


_FRESHEN: Final = """
with taken as materialized (
    select id from enrollments where account_id = $1 and contact_id = any($2) and stale
    order by id for update skip locked)
update enrollments e set stale = false from taken where e.id = taken.id
returning e.id, e.contact_id, (select r.id from reminders r where r.enrollment_id = e.id) as reminder_id
"""


@dataclass(frozen=True, slots=True)
class Freshened:
    """An enrolment that is to be armed in this transaction."""

    id: UUID
    contact_id: UUID
    reminder_id: UUID | None


async def freshen(tx: Connection, contact_ids: Sequence[UUID], *, account_id: UUID) -> list[Freshened]:
    """Take the stale enrolments of held contacts that nobody else writes.

    It never waits: whoever changes a campaign holds that before the enrolments, and marks them anew.
    """
    return [Freshened(**dict(row)) for row in await tx.fetch(_FRESHEN, account_id, list(contact_ids))]
