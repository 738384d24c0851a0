"""Deliveries as their owner reads and replays them (B-165)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event owed to one endpoint, and how it is doing."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject: UUID
    body: bytes
    state: str
    attempt: int
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST. `number` counts from 1 and starts again at a replay."""

    number: int
    started_at: datetime
    duration: timedelta
    status_code: int | None
    error: str | None
    response: str | None


_COLUMNS: Final = "id, endpoint_id, event_id, event_type, subject, body, state, attempt, due_at, created_at, ended_at"

_LIST: Final = f"""
select {_COLUMNS} from deliveries
where account_id = $1 and endpoint_id = $2 and ($3::text[] is null or state = any($3))
order by created_at desc, id desc limit $4 offset $5
"""


async def list_(
    db: Connection, *, account_id: UUID, endpoint_id: UUID, states: Sequence[str] | None, limit: int, offset: int
) -> list[Delivery]:
    """Newest first; `states` None is any."""
    wanted = None if states is None else list(states)
    rows = await db.fetch(_LIST, account_id, endpoint_id, wanted, limit, offset)
    return [Delivery(**dict(row)) for row in rows]


_COUNT: Final = """
select count(*) from deliveries
where account_id = $1 and endpoint_id = $2 and ($3::text[] is null or state = any($3))
"""


async def count(db: Connection, *, account_id: UUID, endpoint_id: UUID, states: Sequence[str] | None) -> int:
    """How many `list_` would give without a limit."""
    counted: int = await db.fetchval(_COUNT, account_id, endpoint_id, None if states is None else list(states))
    return counted


_GET: Final = f"select {_COLUMNS} from deliveries where account_id = $1 and endpoint_id = $2 and id = $3"


async def get(db: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID) -> Delivery | None:
    """One delivery of this endpoint."""
    row = await db.fetchrow(_GET, account_id, endpoint_id, id)
    return Delivery(**dict(row)) if row else None


_ATTEMPTS: Final = """
select a.number, a.started_at, a.duration, a.status_code, a.error, a.response
from delivery_attempts a join deliveries d on d.id = a.delivery_id
where d.account_id = $1 and a.delivery_id = $2 order by a.started_at, a.number
"""


async def attempts(db: Connection, *, account_id: UUID, delivery_id: UUID) -> list[Attempt]:
    """Every POST of a delivery, oldest first."""
    return [Attempt(**dict(row)) for row in await db.fetch(_ATTEMPTS, account_id, delivery_id)]


_REPLAY: Final = f"""
update deliveries d set state = case e.status when 'active' then 'pending' else 'held' end, attempt = 0,
    attempt_id = null, ended_at = null, due_at = coalesce($4::timestamptz, clock_timestamp())
from endpoints e
where e.id = d.endpoint_id and d.account_id = $1 and d.endpoint_id = $2 and d.id = $3 and d.state <> 'sending'
returning {", ".join(f"d.{column}" for column in _COLUMNS.split(", "))}
"""


async def replay(
    tx: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID, now: datetime | None
) -> Delivery | None:
    """Start one over with all its attempts, its id and body as they were (B-156); None where a POST is under way."""
    row = await tx.fetchrow(_REPLAY, account_id, endpoint_id, id, now)
    return Delivery(**dict(row)) if row else None


_REPLAY_MANY: Final = """
update deliveries d set state = case e.status when 'active' then 'pending' else 'held' end, attempt = 0,
    attempt_id = null, ended_at = null, due_at = coalesce($7::timestamptz, clock_timestamp())
from endpoints e
where e.id = d.endpoint_id and d.id in (
    select id from deliveries
    where account_id = $1 and endpoint_id = $2 and state = any($3)
        and created_at >= $4 and created_at < coalesce($5, 'infinity'::timestamptz)
        and ($6::text[] is null or event_type = any($6))
    order by created_at, id limit $8 for update skip locked)
returning d.id
"""


async def replay_many(
    tx: Connection,
    *,
    account_id: UUID,
    endpoint_id: UUID,
    states: Collection[str],
    start: datetime,
    end: datetime | None,
    types: Sequence[str] | None,
    limit: int,
    now: datetime | None,
) -> int:
    """Start over up to `limit` of those made from `start` until before `end`, oldest first; returns how many."""
    wanted = None if types is None else list(types)
    rows = await tx.fetch(_REPLAY_MANY, account_id, endpoint_id, list(states), start, end, wanted, now, limit)
    return len(rows)
