"""Keeps the tables that grow with time in bounds: partitions of the outbox, stored answers, old deliveries."""

from __future__ import annotations

from typing import Final

from shared.store import retention
from shared.store.database import Database

EVERY: Final = 600.0
SOON: Final = 5.0


async def housekeep(db: Database) -> float:
    """One round; returns the seconds until the next, soon where there is more to do."""
    async with db.transaction() as tx:
        if not await retention.try_lock(tx):
            return EVERY
        kept = await retention.keep_outbox_days(tx)
    async with db.transaction() as tx:
        full = await retention.delete_old(tx)
    return SOON if full or not kept else EVERY
