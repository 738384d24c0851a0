"""Lists an account's reminders."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.api.core.reminders import Seen
from shared.store import history
from shared.store import reminder_search as store
from shared.store.database import Connection
from shared.store.reminder_search import Filter

__all__ = ["Filter", "Page", "list_reminders"]


@dataclass(frozen=True, slots=True)
class Page:
    seen: list[Seen]
    total: int


async def list_reminders(db: Connection, wanted: Filter, *, account_id: UUID, limit: int, skip: int) -> Page:
    """One page, newest first, with how many match in all."""
    total = await store.count(db, wanted, account_id=account_id)
    found = await store.page(db, wanted, account_id=account_id, limit=limit, skip=skip)
    told = await history.read(db, account_id=account_id, reminder_ids=[reminder.id for reminder in found])
    return Page([Seen(reminder, told[reminder.id]) for reminder in found], total)
