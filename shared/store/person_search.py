"""Finds the reminders of a person, or of whatever else a caller knows of one, over all doors of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.domain.reminder import Status
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Known:
    """What is None does not filter."""

    external_id: str | None = None
    door: str | None = None
    number: int | None = None
    status: Status | None = None
    contact_id: UUID | None = None
    phone: str | None = None
    """E.164."""
    email: str | None = None
    """Compared without regard to case."""

    @property
    def person(self) -> bool:
        """Whether a person is asked for, by one of three: a contact's reminders are those to its addresses as well."""
        return (self.contact_id or self.phone or self.email) is not None


_OTHERS: Final = """
where r.account_id = $1 and ($2::text is null or r.external_id = $2) and ($3::text is null or r.door = $3)
  and ($4::bigint is null or r.number = $4) and ($5::text is null or r.status = $5)
"""

_PERSON: Final = """
from (
    select id from reminders where account_id = $1 and $6::uuid is not null and contact_id = $6
    union select r.id from contacts c join reminders r on r.account_id = c.account_id and r.address = c.phone
        where c.account_id = $1 and c.id = $6
    union select r.id from contacts c
        join reminders r on r.account_id = c.account_id and r.channel = 'email' and lower(r.address) = lower(c.email)
        where c.account_id = $1 and c.id = $6
    union select id from reminders where account_id = $1 and address = $7
    union select r.id from contacts c join reminders r on r.contact_id = c.id
        where c.account_id = $1 and c.phone = $7
    union select id from reminders where account_id = $1 and channel = 'email' and lower(address) = lower($8)
    union select r.id from contacts c join reminders r on r.contact_id = c.id
        where c.account_id = $1 and lower(c.email) = lower($8)
) found
join reminders r on r.id = found.id
"""

_NAMED: Final = """
from (
    select r.id from configurations c join reminders r on r.configuration_id = c.id and r.external_id = $2
        and r.door in ('integration', 'items')
    where c.account_id = $1
    union all select id from reminders
    where account_id = $1 and external_id = $2 and door in ('campaigns', 'crm', 'appointments')
) found
join reminders r on r.id = found.id
"""

_PAGE: Final = f"select r.id from reminders r {_OTHERS} order by r.created_at desc, r.id limit $6 offset $7"
_COUNT: Final = f"select count(*) from reminders r {_OTHERS}"
_PAGE_OF_NAMED: Final = f"select r.id {_NAMED} {_OTHERS} order by r.created_at desc, r.id limit $6 offset $7"
_COUNT_OF_NAMED: Final = f"select count(*) {_NAMED} {_OTHERS}"
_PAGE_OF_PERSON: Final = f"select r.id {_PERSON} {_OTHERS} order by r.created_at desc, r.id limit $9 offset $10"
_COUNT_OF_PERSON: Final = f"select count(*) {_PERSON} {_OTHERS}"


async def page(db: Connection, known: Known, *, account_id: UUID, limit: int, skip: int) -> list[UUID]:
    """The ids of reminders, the newest first, in an order that never changes between pages."""
    others = _others(account_id, known)
    if known.person:
        rows = await db.fetch(_PAGE_OF_PERSON, *others, known.contact_id, known.phone, known.email, limit, skip)
    else:
        rows = await db.fetch(_PAGE_OF_NAMED if known.external_id else _PAGE, *others, limit, skip)
    return [row["id"] for row in rows]


async def count(db: Connection, known: Known, *, account_id: UUID) -> int:
    """How many there are in all."""
    others = _others(account_id, known)
    found: int
    if known.person:
        found = await db.fetchval(_COUNT_OF_PERSON, *others, known.contact_id, known.phone, known.email)
    else:
        found = await db.fetchval(_COUNT_OF_NAMED if known.external_id else _COUNT, *others)
    return found


def _others(account_id: UUID, known: Known) -> tuple[object, ...]:
    status = known.status.value if known.status else None
    return account_id, known.external_id, known.door, known.number, status
