"""What the CRM door knows by number: its reminders, and the contacts that they are about (document 003)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from shared.domain.contact import Contact
from shared.domain.draft import Reminder
from shared.store import contacts
from shared.store.contacts import contact_of
from shared.store.database import Connection
from shared.store.reminders import COLUMNS, PROGRESS, reminder_of

_GET: Final = f"""
select {COLUMNS}, progress.* from reminders r {PROGRESS} where r.account_id = $1 and r.door = 'crm' and r.number = $2
"""


async def get(db: Connection, *, account_id: UUID, number: int) -> Reminder | None:
    """A reminder of the CRM door by its number."""
    row = await db.fetchrow(_GET, account_id, number)
    return reminder_of(row) if row else None


_ID_OF: Final = "select id from reminders where account_id = $1 and door = 'crm' and number = $2"


async def id_of(db: Connection, *, account_id: UUID, number: int) -> UUID | None:
    """Our own id of a reminder of the CRM door."""
    id: UUID | None = await db.fetchval(_ID_OF, account_id, number)
    return id


_WHERE: Final = """
from reminders r where r.account_id = $1 and r.door = 'crm' and r.contact_id is not null
    and ($2::uuid is null or r.contact_id = $2)
"""

_PAGE: Final = f"""
with page as materialized (select r.* {_WHERE} order by r.number limit $3 offset $4)
select {COLUMNS}, progress.* from page r {PROGRESS} order by r.number
"""


async def page(db: Connection, *, account_id: UUID, contact_id: UUID | None, limit: int, skip: int) -> list[Reminder]:
    """Reminders of the CRM door in the order of their creation (B-189); without a contact all of the account."""
    return [reminder_of(row) for row in await db.fetch(_PAGE, account_id, contact_id, limit, skip)]


_WEIGHT: Final = f"""
with page as (select r.subject, r.text {_WHERE} order by r.number limit $3 offset $4)
select coalesce(sum(octet_length(subject) + coalesce(octet_length(text), 0)), 0)::bigint from page
"""


async def weight(db: Connection, *, account_id: UUID, contact_id: UUID | None, limit: int, skip: int) -> int:
    """How many bytes of text such a page holds."""
    found: int = await db.fetchval(_WEIGHT, account_id, contact_id, limit, skip)
    return found


_COUNT: Final = f"select count(*) {_WHERE}"


async def count(db: Connection, *, account_id: UUID, contact_id: UUID | None) -> int:
    """How many there are in all."""
    found: int = await db.fetchval(_COUNT, account_id, contact_id)
    return found


_BIRTHDAY: Final = "select id from reminders where account_id = $1 and contact_id = $2 and birthday"


async def birthday_of(db: Connection, *, account_id: UUID, contact_id: UUID) -> UUID | None:
    """Our id of a contact's birthday reminder; there is one at the most (B-173)."""
    id: UUID | None = await db.fetchval(_BIRTHDAY, account_id, contact_id)
    return id


# The index `contacts_by_account`, read from its end.
_CONTACTS: Final = f"""
select {contacts.COLUMNS} from contacts where account_id = $1 order by created_at, id desc limit $2 offset $3
"""


async def contacts_page(db: Connection, *, account_id: UUID, limit: int, skip: int) -> list[Contact]:
    """An account's contacts oldest first, whichever door they came in by."""
    return [contact_of(row) for row in await db.fetch(_CONTACTS, account_id, limit, skip)]


_COUNT_CONTACTS: Final = "select count(*) from contacts where account_id = $1"


async def count_contacts(db: Connection, *, account_id: UUID) -> int:
    """How many contacts an account has."""
    found: int = await db.fetchval(_COUNT_CONTACTS, account_id)
    return found
