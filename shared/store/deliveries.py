"""Deliveries on their way: made at fan-out, claimed, recorded, rescued. What owners read is in `delivery_log`.

A row that is due is claimed with a lease, POSTed outside any transaction, and recorded; `attempt_id` is the
fence, so a worker whose lease ran out changes nothing but the list of attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.domain.endpoint import Answer, Next
from shared.domain.signature import Rotation
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One event owed to one endpoint; `body` is final."""

    id: UUID
    account_id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject: UUID
    body: bytes


_INSERT: Final = """
insert into deliveries (id, account_id, endpoint_id, event_id, event_type, subject, body, state, due_at, created_at)
select n.id, n.account_id, n.endpoint_id, n.event_id, n.event_type, n.subject, n.body,
    case e.status when 'active' then 'pending' else 'held' end, clock.now, clock.now
from (select coalesce($8::timestamptz, clock_timestamp()) as now) clock,
    unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::bytea[])
        as n (id, account_id, endpoint_id, event_id, event_type, subject, body)
    join (select id, account_id, status from endpoints where id = any($3::uuid[]) order by id for key share) e
        on e.id = n.endpoint_id and e.account_id = n.account_id
on conflict (endpoint_id, event_id) do nothing
returning id
"""


async def insert(tx: Connection, deliveries: Sequence[NewDelivery], *, now: datetime | None = None) -> int:
    """Add what is not there yet, held where the endpoint is off; endpoints that are gone drop out. Returns how many."""
    if not deliveries:
        return 0
    rows = [(d.id, d.account_id, d.endpoint_id, d.event_id, d.event_type, d.subject, d.body) for d in deliveries]
    return len(await tx.fetch(_INSERT, *zip(*rows, strict=True), now))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may POST until `lease_until`, with what that takes."""

    id: UUID
    account_id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    body: bytes
    attempt: int
    attempt_id: UUID
    claimed_at: datetime
    target_url: str
    secret: bytes
    next_secret: bytes | None
    rotation: Rotation
    proven: bool
    """Whether the endpoint's newest answer was a success."""
    posts: int
    """How many POSTs to the endpoint were under way already: none or one."""


_LOCK_CLAIMS: Final = "select pg_try_advisory_xact_lock(hashtext('belltower webhooks claim'))"

_CLAIM: Final = """
with recursive clock as materialized (select coalesce($1::timestamptz, clock_timestamp()) as now),
waiting as (  -- the endpoints that have pending deliveries, one index probe each
    (select endpoint_id from deliveries where state = 'pending' order by endpoint_id limit 1)
    union all
    select (select d.endpoint_id from deliveries d where d.state = 'pending' and d.endpoint_id > w.endpoint_id
            order by d.endpoint_id limit 1)
    from waiting w where w.endpoint_id is not null
),
ready as (
    select e.id, e.proven, busy.posts, row_number() over (partition by e.proven order by first.due_at) as place
    from waiting w
    join (select id, failing_since is null and succeeded_at is not null as proven from endpoints
          where status = 'active') e on e.id = w.endpoint_id
    cross join lateral (
        select d.due_at from deliveries d
        where d.endpoint_id = e.id and d.state = 'pending' and d.due_at <= (select now from clock)
        order by d.due_at limit 1) first
    cross join lateral (
        select count(*) as posts from deliveries d where d.endpoint_id = e.id and d.state = 'sending') busy
    where busy.posts < case when e.proven then 2 else 1 end
),
chosen as (select * from ready where place <= case when proven then $2::integer else $3::integer end),
picked as (
    select d.id, c.posts from chosen c cross join lateral (
        select d.id from deliveries d
        where d.endpoint_id = c.id and d.state = 'pending' and d.due_at <= (select now from clock)
        order by d.due_at
        limit case when c.proven then $4::integer else 1 end
        for update of d skip locked) d
)
update deliveries d set state = 'sending', attempt = d.attempt + 1, attempt_id = gen_random_uuid(),
    lease_until = clock.now + $5::interval
from picked, clock, endpoints e
where d.id = picked.id and e.id = d.endpoint_id
returning d.id, d.account_id, d.endpoint_id, d.event_id, d.event_type, d.body, d.attempt, d.attempt_id,
    clock.now as claimed_at, e.target_url, e.secret, e.next_secret, e.rotation,
    e.failing_since is null and e.succeeded_at is not null as proven,
    picked.posts
"""


async def claim(
    tx: Connection, *, proven: int, doubtful: int, run: int, lease: timedelta, now: datetime | None = None
) -> list[Claimed] | None:
    """Claim what is due, oldest first within each endpoint; None where another process is claiming just now.

    An endpoint has at most two POSTs under way over all processes. One that has proved itself (its newest answer
    was a success) may get up to `run` deliveries at once, to be worked off two at a time, or one at a time where
    one is under way already; one that is failing or new gets a single one. At most `proven` endpoints of the
    first kind and `doubtful` of the second: dead endpoints have a share of their own and cannot use up everybody's.
    """
    if not await tx.fetchval(_LOCK_CLAIMS):
        return None
    rows = await tx.fetch(_CLAIM, now, proven, doubtful, run, lease)
    return sorted((_claimed(row) for row in rows), key=lambda claimed: claimed.id)


_RELEASE: Final = """
update deliveries set state = 'pending', attempt = attempt - 1, attempt_id = null, lease_until = null
where attempt_id = any($1) and state = 'sending' and id = any($2)
"""


async def release(tx: Connection, claimed: Sequence[Claimed]) -> None:
    """Give back what was claimed and not begun."""
    if claimed:
        await tx.execute(_RELEASE, [c.attempt_id for c in claimed], [c.id for c in claimed])


@dataclass(frozen=True, slots=True)
class Attempted:
    """One POST that ended, and what follows from it."""

    claimed: Claimed
    started_at: datetime
    duration: timedelta
    answer: Answer
    next: Next


_SETTLE: Final = """
update deliveries d set state = s.state, due_at = s.due_at, lease_until = null,
    ended_at = case when s.state in ('delivered', 'exhausted') then s.ended_at end
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
    as s (id, attempt_id, state, due_at, ended_at)
where d.id = s.id and d.attempt_id = s.attempt_id and d.state = 'sending'
returning d.id
"""


async def settle(tx: Connection, attempts: Sequence[Attempted]) -> set[UUID]:
    """Move each delivery on, where its attempt still holds it; the ids of those that moved."""
    rows = [
        (a.claimed.id, a.claimed.attempt_id, a.next.state.value, a.next.due_at, a.started_at + a.duration)
        for a in attempts
    ]
    return {row["id"] for row in await tx.fetch(_SETTLE, *zip(*rows, strict=True))}


_ADD_ATTEMPTS: Final = """
insert into delivery_attempts (id, delivery_id, number, started_at, duration, status_code, error, response)
select a.* from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::interval[], $6::smallint[],
                       $7::text[], $8::text[])
    as a (id, delivery_id, number, started_at, duration, status_code, error, response)
join (select id from deliveries where id = any($2::uuid[]) for key share) d on d.id = a.delivery_id
on conflict (id) do nothing
"""


async def add_attempts(tx: Connection, attempts: Sequence[Attempted]) -> None:
    """Note every POST that was made, late ones too; those of deliveries that are gone drop out."""
    rows = [
        (
            a.claimed.attempt_id,
            a.claimed.id,
            a.claimed.attempt,
            a.started_at,
            a.duration,
            a.answer.status,
            a.answer.error,
            a.answer.response,
        )
        for a in attempts
    ]
    await tx.execute(_ADD_ATTEMPTS, *zip(*rows, strict=True))


def _claimed(row: Any) -> Claimed:
    values = dict(row)
    values["rotation"] = Rotation(values["rotation"])
    return Claimed(**values)
