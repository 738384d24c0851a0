"""Events waiting to be told. Written in the transaction of the change that caused them, kept seven days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.events import Event
from shared.messages.envelope import Envelope, data_of
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in its subject's story: `sequence` counts from 1 without gaps."""

    event: Event
    account_id: UUID
    at: datetime
    sequence: int


_APPEND: Final = """
insert into outbox (id, account_id, type, version, subject, sequence, at, data)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::bigint[],
                     $7::timestamptz[], $8::jsonb[])
"""


async def append(tx: Connection, events: Sequence[Recorded]) -> None:
    """Write `events` in order, in the caller's transaction. Afterwards set `runtime.events_written`."""
    if not events:
        return
    rows = [
        (uuid7(), e.account_id, e.event.TYPE, e.event.VERSION, e.event.subject(), e.sequence, e.at, e.event)
        for e in events
    ]
    *columns, data = zip(*rows, strict=True)
    await tx.execute(_APPEND, *columns, [data_of(event) for event in data])


_TAKE: Final = """
select id, account_id, type, version, subject, sequence, at, data
from outbox where published_at is null
order by at, id limit $1
for update skip locked
"""


async def take(tx: Connection, *, limit: int) -> list[Envelope]:
    """Up to `limit` unpublished events, locked for the caller's transaction; other relays take others."""
    return [_envelope(row) for row in await tx.fetch(_TAKE, limit)]


_MARK: Final = """
update outbox set published_at = clock_timestamp()
from unnest($1::uuid[], $2::timestamptz[]) as done (id, at)
where outbox.id = done.id and outbox.at = done.at
"""


async def mark(tx: Connection, envelopes: Sequence[Envelope]) -> None:
    """Note that the broker has confirmed these events."""
    await tx.execute(_MARK, [e.id for e in envelopes], [e.at for e in envelopes])


_SINCE: Final = """
select id, account_id, type, version, subject, sequence, at, data
from outbox where account_id = $1 and at >= $2 and at < $3 and type = any($4)
order by at, id limit $5
"""


async def since(
    db: Connection, *, account_id: UUID, start: datetime, end: datetime, types: Sequence[str], limit: int
) -> list[Envelope]:
    """An account's events of these types from `start` until before `end`, oldest first, for a replay."""
    return [_envelope(row) for row in await db.fetch(_SINCE, account_id, start, end, list(types), limit)]


def _envelope(row: Any) -> Envelope:
    return Envelope.model_construct(**dict(row))
