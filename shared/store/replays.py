"""Asking the process that holds the memory bus to give dead letters back: the table alone cannot."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.store.database import Connection

_CHANNEL: Final = "belltower_replay"
_ASK: Final = "select pg_notify('belltower_replay', $1)"


async def ask(tx: Connection, queue: str, *, limit: int) -> None:
    """Ask, when this transaction commits, for the oldest `limit` of `queue`. Nobody may be listening."""
    await tx.execute(_ASK, json.dumps([queue, limit]))


async def listen(connection: Any, asked: Callable[[str, int], None]) -> None:
    """Call `asked(queue, limit)` for each asking from now on."""

    def hear(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
        queue, limit = json.loads(payload)
        asked(queue, limit)

    await connection.add_listener(_CHANNEL, hear)


_DEAD_AT: Final = "select id, dead_at from dead_letters where queue = $1 and id = any($2::uuid[])"


async def dead_at(db: Connection, queue: str, letters: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of these died last; those that are no longer dead are missing."""
    return {row["id"]: row["dead_at"] for row in await db.fetch(_DEAD_AT, queue, letters)}
