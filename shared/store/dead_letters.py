"""Messages that no handler could take, where the bus is memory. RabbitMQ keeps its own."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class DeadRow:
    """One row; the same fields as the bus's own `DeadLetter`."""

    id: UUID
    queue: str
    routing_key: str
    reason: str
    dead_at: datetime
    body: bytes


_SAVE: Final = """
insert into dead_letters (id, queue, routing_key, reason, dead_at, body) values ($1, $2, $3, $4, $5, $6)
on conflict (queue, id) do update set reason = excluded.reason, dead_at = excluded.dead_at
"""


async def save(db: Connection, row: DeadRow) -> None:
    """Keep `row`, in place of one with the same queue and id."""
    await db.execute(_SAVE, *astuple(row))


_OLDEST: Final = """
select id, queue, routing_key, reason, dead_at, body from dead_letters where queue = $1 order by dead_at limit $2
"""


async def oldest(db: Connection, queue: str, *, limit: int) -> list[DeadRow]:
    """The oldest `limit` of `queue`, oldest first."""
    return [DeadRow(**dict(row)) for row in await db.fetch(_OLDEST, queue, limit)]


_TAKE: Final = "delete from dead_letters where queue = $1 and id = $2 returning id"


async def take(db: Connection, queue: str, letter: UUID) -> bool:
    """Remove one; returns whether it was there."""
    return await db.fetchval(_TAKE, queue, letter) is not None
