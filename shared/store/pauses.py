"""Providers that rest for an account and channel, because they refused our credentials."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.store.database import Connection

_NEXT_END: Final = "select min(until) from provider_pauses where until > $1"


async def next_end(db: Connection, *, now: datetime) -> datetime | None:
    """When the first rest after `now` is over: what became due meanwhile may go out then."""
    until: datetime | None = await db.fetchval(_NEXT_END, now)
    return until
