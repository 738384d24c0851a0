"""Contacts: one per person and account for the campaigns, CRM and appointments doors."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.domain.contact import Contact, Due, Interval, IntervalUnit, Precision
from shared.store.database import Connection

_FIELDS: Final = """phone, email, first_name, last_name, gender, is_partial, note, tags, custom_fields,
    marketing_consent, time_zone, next_due, next_due_at, last_service, last_service_at, interval_value, interval_unit,
    due_anchor, advance_at, birthdate, birthdate_precision, sequence, updated_at"""

COLUMNS: Final = f"id, number, account_id, created_at, {_FIELDS}"


def contact_of(row: Any) -> Contact:
    """The contact in a row with `COLUMNS`."""
    values = dict(row)
    unit, value = values.pop("interval_unit"), values.pop("interval_value")
    due_at, service_at = values.pop("next_due_at"), values.pop("last_service_at")
    return Contact(
        **{
            **values,
            "tags": tuple(row["tags"]),
            "next_due": _due(row["next_due"], due_at),
            "last_service": _due(row["last_service"], service_at),
            "interval": Interval(value, IntervalUnit(unit)) if unit else None,
            "birthdate_precision": Precision(row["birthdate_precision"]),
        }
    )


def _due(text: str | None, at: datetime | None) -> Due | None:
    return Due(text, at) if text is not None and at is not None else None


def _values(contact: Contact) -> tuple[object, ...]:
    """In the order of `_FIELDS`."""
    due, service, interval = contact.next_due, contact.last_service, contact.interval
    return (
        contact.phone,
        contact.email,
        contact.first_name,
        contact.last_name,
        contact.gender,
        contact.is_partial,
        contact.note,
        contact.tags,
        contact.custom_fields,
        contact.marketing_consent,
        contact.time_zone,
        due.text if due else None,
        due.at if due else None,
        service.text if service else None,
        service.at if service else None,
        interval.value if interval else None,
        interval.unit.value if interval else None,
        contact.due_anchor,
        contact.advance_at,
        contact.birthdate,
        contact.birthdate_precision.value,
        contact.sequence,
        contact.updated_at,
    )


_INSERT: Final = f"""
insert into contacts (id, account_id, created_at, {_FIELDS})
values ($1, $2, $3, {", ".join(f"${place}" for place in range(4, 27))})
on conflict do nothing
returning {COLUMNS}
"""


async def insert(tx: Connection, contact: Contact) -> Contact | None:
    """Add a contact, whose first event the caller appends; None where its phone or e-mail is another's."""
    row = await tx.fetchrow(_INSERT, contact.id, contact.account_id, contact.created_at, *_values(contact))
    return contact_of(row) if row else None


_UPDATE: Final = f"""
update contacts set ({_FIELDS}) = ({", ".join(f"${place}" for place in range(3, 26))})
where account_id = $1 and id = $2
"""


async def update(tx: Connection, contact: Contact) -> None:
    """Write all of a held contact. A phone or e-mail of another raises `failures.Taken`."""
    await tx.execute(_UPDATE, contact.account_id, contact.id, *_values(contact))


_HOLD: Final = f"""
select {COLUMNS} from contacts where account_id = $1
    and (id = $2 or number = $3 or phone = $4 or lower(email) = lower($5)) order by id for update
"""


async def hold(
    tx: Connection,
    *,
    account_id: UUID,
    id: UUID | None = None,
    number: int | None = None,
    phone: str | None = None,
    email: str | None = None,
) -> list[Contact]:
    """The contacts that any of these names, locked; two where phone and e-mail are of different people (B-106)."""
    return [contact_of(row) for row in await tx.fetch(_HOLD, account_id, id, number, phone, email)]


_FIND: Final = _HOLD.removesuffix("for update\n")


async def find(
    db: Connection,
    *,
    account_id: UUID,
    id: UUID | None = None,
    number: int | None = None,
    phone: str | None = None,
    email: str | None = None,
) -> Contact | None:
    """The contact that one of these names."""
    row = await db.fetchrow(_FIND, account_id, id, number, phone, email)
    return contact_of(row) if row else None


_READ: Final = f"select {COLUMNS} from contacts where account_id = any($1) and id = any($2)"


async def read(db: Connection, *, account_ids: Collection[UUID], ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Those of these contacts that still exist."""
    return {row["id"]: contact_of(row) for row in await db.fetch(_READ, list(account_ids), list(ids))}


_DELETE: Final = "delete from contacts where account_id = $1 and id = $2"


async def delete(tx: Connection, *, account_id: UUID, id: UUID) -> None:
    """Remove a held contact with its consents and enrolments; its reminders stay, without it."""
    await tx.execute(_DELETE, account_id, id)


# All that are active are locked first, in the order of ids: whoever settles several of them does the same.
_RETARGET: Final = """
with held as materialized (
    select id, case when channel = 'email' then $4::text else $3::text end as address from reminders
    where account_id = $1 and contact_id = $2 and status = 'active' order by id for update)
update reminders r set address = held.address, updated_at = $5 from held
where r.id = held.id and r.door in ('campaigns', 'appointments') and r.address <> held.address
returning r.id
"""


async def retarget(tx: Connection, contact: Contact, *, now: datetime) -> list[UUID]:
    """Point a contact's active reminders to its new phone or e-mail, where it still has one; returns which."""
    rows = await tx.fetch(_RETARGET, contact.account_id, contact.id, contact.phone, contact.email, now)
    return [row["id"] for row in rows]
