"""Enrolments: who is in which campaign, and whose planned sends are stale.

Stale is what was planned from an older plan than its campaign has, and what carries the mark of its own (`stale`).
"""

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
insert into enrollments (id, account_id, campaign_id, contact_id, plan, created_at)
select $1, $2, id, $4, plan, $5 from campaigns where id = $3
"""


async def insert(tx: Connection, *, account_id: UUID, campaign_id: UUID, contact_id: UUID, now: datetime) -> UUID:
    """Enrol a held contact in a held campaign, and return the enrolment's id; the caller arms it from that campaign.

    As both changing a campaign and enrolling hold it, nobody is ever added to a plan that is not the newest.
    """
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


_FLAGGED: Final = """
select distinct account_id, contact_id from (
    select account_id, contact_id from enrollments where stale and contact_id <> all($2)
    order by created_at, id limit $1) oldest
order by account_id, contact_id
"""


async def flagged(db: Connection, *, limit: int, but: Collection[UUID] = ()) -> dict[UUID, list[UUID]]:
    """Contacts of the oldest enrolments that are stale one by one, by account; those in `but` are left out."""
    found: dict[UUID, list[UUID]] = {}
    for row in await db.fetch(_FLAGGED, limit, list(but)):
        found.setdefault(row["account_id"], []).append(row["contact_id"])
    return found


@dataclass(frozen=True, slots=True)
class Unarmed:
    """A campaign that was changed, and not all who are enrolled are known to be armed from its newest plan."""

    id: UUID
    account_id: UUID
    plan: int


_UNARMED: Final = """
select id, account_id, plan from campaigns
where armed_plan < plan and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
order by id limit $2
"""


async def unarmed(db: Connection, *, after: UUID | None, limit: int) -> list[Unarmed]:
    """The next such campaigns behind one, in the order of ids; None is before the first."""
    return [Unarmed(**dict(row)) for row in await db.fetch(_UNARMED, after, limit)]


_OUTDATED: Final = """
select contact_id from enrollments where campaign_id = $1 and plan < $2 and contact_id <> all($3)
order by plan limit $4
"""


async def outdated(db: Connection, campaign: Unarmed, *, limit: int, but: Collection[UUID] = ()) -> list[UUID]:
    """Contacts whose sends follow from an older plan of a campaign, those in `but` left out; read without a lock."""
    rows = await db.fetch(_OUTDATED, campaign.id, campaign.plan, list(but), limit)
    return [row["contact_id"] for row in rows]


# It compares with the plan that was read, and not with the row's: a newer one may have come meanwhile.
_ALL_ARMED: Final = """
with free as materialized (
    select id from campaigns where account_id = $1 and id = $2 and armed_plan < $3
      and not exists (select from enrollments where campaign_id = $2 and plan < $3)
    for no key update skip locked)
update campaigns g set armed_plan = $3 from free where g.id = free.id
"""


async def all_armed(db: Connection, campaign: Unarmed) -> None:
    """Look no more for enrolments that this plan left behind, where there are none: none can be added."""
    await db.execute(_ALL_ARMED, campaign.account_id, campaign.id, campaign.plan)


_HOLD_CONTACTS: Final = f"""
select {contacts.COLUMNS} from contacts where account_id = $1 and id = any($2) order by id for update skip locked
"""


async def hold_contacts(tx: Connection, contact_ids: Sequence[UUID], *, account_id: UUID) -> list[Contact]:
    """Those of these contacts that nobody else holds, locked; the next look finds the others."""
    return [contacts.contact_of(row) for row in await tx.fetch(_HOLD_CONTACTS, account_id, list(contact_ids))]


# The plan is read before the campaign is, so what is armed is never older than its number says.
_FRESHEN: Final = """
with taken as materialized (
    select e.id, g.plan from enrollments e join campaigns g on g.id = e.campaign_id
    where e.account_id = $1 and e.contact_id = any($2) and (e.stale or e.plan < g.plan)
    order by e.id for update of e skip locked)
update enrollments e set stale = false, plan = taken.plan from taken where e.id = taken.id
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

    Call `armings` for them afterwards, in the same transaction. It never waits; whoever changes a campaign meanwhile
    raises its plan once more, and they are stale again.
    """
    return [Freshened(**dict(row)) for row in await tx.fetch(_FRESHEN, account_id, list(contact_ids))]
