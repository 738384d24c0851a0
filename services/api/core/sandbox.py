"""What the sandbox provider was given."""

from __future__ import annotations

from uuid import UUID

from shared.store import sandbox as store
from shared.store.database import Connection
from shared.store.sandbox import KeptMessage

__all__ = ["KeptMessage", "newest_messages"]


async def newest_messages(db: Connection, *, account_id: UUID, limit: int) -> list[KeptMessage]:
    """The newest first."""
    return await store.newest(db, account_id=account_id, limit=limit)
