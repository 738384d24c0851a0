"""Finds an account's contacts by what a caller can filter and sort on (B-119 to B-125)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from shared.domain.contact import Contact
from shared.store.contacts import COLUMNS, contact_of
from shared.store.database import Connection

Sort = Literal["created_at", "updated_at", "next_due_at", "first_name"]
Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """What is None does not filter."""

    text: str | None = None
    """Part of the name, the phone or the e-mail, in any case."""
    digits: str | None = None
    """Or else part of the phone's digits."""
    phone: str | None = None
    email: str | None = None
    has_phone: bool | None = None
    marketing_consent: bool | None = None
    is_recurrent: bool | None = None
    due_before: datetime | None = None
    """Exclusive, like the two that follow (B-123)."""
    due_after: datetime | None = None
    created_after: datetime | None = None


# `strpos` has no wildcards: a caller's % and _ are what they are.
_WHERE: Final = """
from contacts
where account_id = $1
  and ($2::text is null
       or strpos(lower(concat_ws(' ', first_name, last_name)), lower($2)) > 0
       or strpos(lower(email), lower($2)) > 0 or strpos(phone, $2) > 0 or strpos(phone, $3) > 0)
  and ($4::text is null or phone = $4)
  and ($5::text is null or lower(email) = lower($5))
  and ($6::boolean is null or (phone is not null) = $6)
  and ($7::boolean is null or marketing_consent = $7)
  and ($8::boolean is null or (interval_value is not null) = $8)
  and ($9::timestamptz is null or next_due_at < $9)
  and ($10::timestamptz is null or next_due_at > $10)
  and ($11::timestamptz is null or created_at > $11)
"""


def _arguments(account_id: UUID, wanted: ContactFilter) -> tuple[object, ...]:
    return (
        account_id,
        wanted.text,
        wanted.digits,
        wanted.phone,
        wanted.email,
        wanted.has_phone,
        wanted.marketing_consent,
        wanted.is_recurrent,
        wanted.due_before,
        wanted.due_after,
        wanted.created_after,
    )


_COUNT: Final = f"select count(*) {_WHERE}"


async def count(db: Connection, wanted: ContactFilter, *, account_id: UUID) -> int:
    """How many match."""
    found: int = await db.fetchval(_COUNT, *_arguments(account_id, wanted))
    return found


_ORDERS: Final = {
    ("created_at", "asc"): "created_at",
    ("created_at", "desc"): "created_at desc",
    ("updated_at", "asc"): "updated_at",
    ("updated_at", "desc"): "updated_at desc",
    ("next_due_at", "asc"): "next_due_at nulls last",
    ("next_due_at", "desc"): "next_due_at desc nulls last",
    ("first_name", "asc"): "lower(first_name) nulls last",
    ("first_name", "desc"): "lower(first_name) desc nulls last",
}

_PAGE: Final = {
    by: f"select {COLUMNS} {_WHERE} order by {order}, id limit $12 offset $13" for by, order in _ORDERS.items()
}


async def page(
    db: Connection, wanted: ContactFilter, *, account_id: UUID, sort: Sort, order: Order, limit: int, skip: int
) -> list[Contact]:
    """In an order that never changes between pages; what has no value to sort by comes last (B-124)."""
    rows = await db.fetch(_PAGE[sort, order], *_arguments(account_id, wanted), limit, skip)
    return [contact_of(row) for row in rows]
