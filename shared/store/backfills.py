"""Backfills: making an endpoint's missing deliveries from the outbox, which keeps its events for seven days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.messages.envelope import Envelope
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Backfill:
    """An owner's wish, and how far it has come."""

    id: UUID
    account_id: UUID
    endpoint_id: UUID
    cursor_at: datetime
    cursor_id: UUID
    until: datetime


_INSERT: Final = """
insert into backfills (id, account_id, endpoint_id, cursor_at, cursor_id, until, created_at)
select $1, $2, $3, $4, '00000000-0000-0000-0000-000000000000', least(coalesce($5, clock.now), clock.now), clock.now
from (select coalesce($6::timestamptz, clock_timestamp()) as now) clock
"""


async def insert(
    tx: Connection,
    *,
    id: UUID,
    account_id: UUID,
    endpoint_id: UUID,
    start: datetime,
    end: datetime | None,
    now: datetime | None,
) -> None:
    """Ask for the events from `start` until `end`, or until now."""
    await tx.execute(_INSERT, id, account_id, endpoint_id, start, end, now)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a backfill is doing, for its owner."""

    id: UUID
    endpoint_id: UUID
    deliveries: int
    """How many it has made so far."""
    created_at: datetime
    ended_at: datetime | None


_GET: Final = """
select id, endpoint_id, deliveries, created_at, ended_at from backfills
where id = $1 and endpoint_id = $2 and account_id = $3
"""


async def get(db: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID) -> Standing | None:
    """One of an endpoint of this account."""
    row = await db.fetchrow(_GET, id, endpoint_id, account_id)
    return Standing(**dict(row)) if row else None


_TAKE: Final = """
select id, account_id, endpoint_id, cursor_at, cursor_id, until from backfills
where ended_at is null order by created_at, id limit 1 for update skip locked
"""


async def take(tx: Connection) -> Backfill | None:
    """The oldest that is not done, locked."""
    row = await tx.fetchrow(_TAKE)
    return Backfill(**dict(row)) if row else None


_EVENTS: Final = """
select o.id, o.account_id, o.type, o.version, o.subject, o.sequence, o.at, o.data
from outbox o, (select event_types from endpoints where id = $5 and account_id = $1) e
where o.account_id = $1 and (o.at, o.id) > ($2::timestamptz, $3::uuid) and o.at >= $2 and o.at <= $4
    and o.type = any(e.event_types)
order by o.at, o.id limit $6
"""


async def events(tx: Connection, backfill: Backfill, *, limit: int) -> list[Envelope]:
    """The next events that the endpoint subscribes to."""
    rows = await tx.fetch(
        _EVENTS,
        backfill.account_id,
        backfill.cursor_at,
        backfill.cursor_id,
        backfill.until,
        backfill.endpoint_id,
        limit,
    )
    return [Envelope.model_construct(**dict(row)) for row in rows]


_ADVANCE: Final = """
update backfills set cursor_at = $2, cursor_id = $3, deliveries = deliveries + $4,
    ended_at = case when $5 then coalesce($6::timestamptz, clock_timestamp()) end
where id = $1
"""


async def advance(
    tx: Connection, backfill: Backfill, *, last: Envelope | None, made: int, done: bool, now: datetime | None
) -> None:
    """Note how far it has come."""
    at, id = (last.at, last.id) if last else (backfill.cursor_at, backfill.cursor_id)
    await tx.execute(_ADVANCE, backfill.id, at, id, made, done, now)
