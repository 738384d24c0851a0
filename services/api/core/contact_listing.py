"""Lists an account's contacts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.domain.contact import Contact
from shared.store import contact_search as store
from shared.store.contact_search import ContactFilter, Order, Sort
from shared.store.database import Connection

__all__ = ["ContactFilter", "ContactPage", "Order", "Sort", "list_contacts"]


@dataclass(frozen=True, slots=True)
class ContactPage:
    found: list[Contact]
    total: int
    """How many match in all."""


async def list_contacts(
    db: Connection, wanted: ContactFilter, *, account_id: UUID, sort: Sort, order: Order, limit: int, skip: int
) -> ContactPage:
    """One page, and how many match in all (B-119 to B-125)."""
    total = await store.count(db, wanted, account_id=account_id)
    found = await store.page(db, wanted, account_id=account_id, sort=sort, order=order, limit=limit, skip=skip)
    return ContactPage(found, total)
