"""The sentinel's way through all active reminders, and what it finds there that could never ring.

A pass goes from id to id. One row says how far it is, so that any number of schedulers make one pass between them.
Locks are taken on reminders first and on their occurrences then, in the order of ids, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place
from shared.domain.reminder import Status
from shared.domain.schedule import schedule_of
from shared.domain.sentinel import Fault, Lost
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Pass:
    """How far the present pass is."""

    after: UUID | None
    """The last reminder that it has seen; None before its first."""
    ended_at: datetime | None
    """Of the last full pass."""


_HOLD: Final = "select after, ended_at from schedule_watch for update skip locked"

_BEGIN: Final = "insert into schedule_watch (began_at) values (clock_timestamp()) on conflict do nothing"
"""Where the row was lost, as in a copy of the tables that matter."""


async def hold_pass(tx: Connection) -> Pass | None:
    """Take a step of the pass; None while another process takes one."""
    row = await tx.fetchrow(_HOLD)
    if row is None:
        await tx.execute(_BEGIN)
        return None
    return Pass(**dict(row))


_ADVANCE: Final = """
update schedule_watch set after = $1,
    began_at = case when after is null then $2 else began_at end,
    ended_at = case when $3 then $2 else ended_at end
"""


async def advance(tx: Connection, after: UUID | None, *, now: datetime, ended: bool) -> None:
    """Note how far the held pass has come."""
    await tx.execute(_ADVANCE, after, now, ended)


_FAULT: Final = """
cross join lateral (
    select (array_agg(o.state order by o.seq))[1] as state, (array_agg(o.due_at order by o.seq))[1] as due_at,
        (array_agg(o.scheduled_for order by o.seq))[1] as scheduled_for,
        (array_agg(o.lease_until order by o.seq))[1] as lease_until, min(o.due_at) as soonest
    from (select * from occurrences u
          where u.reminder_id = r.id and u.state in ('scheduled', 'queued', 'sending')
          order by u.seq limit 3) o) first
cross join lateral (
    select case
        when first.state is null then 'nothing_left'
        when first.lease_until > $1::timestamptz + $2::interval then 'held'
        when first.state = 'scheduled' and first.due_at > greatest(first.scheduled_for, $1::timestamptz) + $2::interval
            then 'put_off'
        when first.state = 'scheduled' and first.due_at > $1::timestamptz + $2::interval
             and first.soonest < first.due_at - $2::interval then 'out_of_order' end as fault) found"""
"""Beside `reminders r`: why it could never ring, or null. `$1` is now, `$2` what no lease and no retry lasts."""

_LOOK: Final = f"""
with batch as materialized (
    select id from reminders where status = 'active' and ($3::uuid is null or id > $3) order by id limit $4)
select (select id from batch order by id desc limit 1) as last, (select count(*) from batch) as count,
    array(select r.id from batch r {_FAULT} where found.fault is not null order by r.id) as suspects
"""


@dataclass(frozen=True, slots=True)
class Seen:
    last: UUID | None
    count: int
    suspects: list[UUID]


async def look(db: Connection, *, after: UUID | None, limit: int, now: datetime, margin: timedelta) -> Seen:
    """The next `limit` active reminders, and those of them that could never ring as they are."""
    row = await db.fetchrow(_LOOK, now, margin, after, limit)
    return Seen(**dict(row))


_LOCK: Final = """
select id from reminders where id = any($1) and status = 'active' order by id for update skip locked
"""

_LOST: Final = f"""
select r.id, r.account_id, r.external_id, r.sequence, r.schedule, r.time_zone, found.fault,
    coalesce(r.grace, c.grace, a.grace) as grace, coalesce(r.catch_up, c.catch_up, a.catch_up) as catch_up,
    coalesce(r.on_unknown, c.on_unknown, a.on_unknown) as on_unknown
from reminders r
join configurations c on c.id = r.configuration_id
join accounts a on a.id = r.account_id
{_FAULT}
where r.id = any($3) and found.fault is not null
order by r.id
"""

_PLACES: Final = """
select id, reminder_id, seq, scheduled_for, state, kind from occurrences where reminder_id = any($1)
order by id for update
"""


async def hold_lost(
    tx: Connection, suspects: Sequence[UUID], *, now: datetime, margin: timedelta, fallback: Policy
) -> list[Lost]:
    """Those of the suspects that nobody holds and that are lost even now, locked with all their places."""
    held = [row["id"] for row in await tx.fetch(_LOCK, list(suspects))]
    lost = await tx.fetch(_LOST, now, margin, held) if held else []
    if not lost:
        return []
    places: dict[UUID, list[Place]] = {row["id"]: [] for row in lost}
    for row in await tx.fetch(_PLACES, list(places)):
        place = Place(row["id"], row["seq"], row["scheduled_for"], State(row["state"]), Kind(row["kind"]))
        places[row["reminder_id"]].append(place)
    return [_lost(row, places[row["id"]], fallback) for row in lost]


def _lost(row: Any, places: list[Place], fallback: Policy) -> Lost:
    return Lost(
        id=row["id"],
        account_id=row["account_id"],
        external_id=row["external_id"],
        sequence=row["sequence"],
        fault=Fault(row["fault"]),
        schedule=schedule_of(row["schedule"], row["time_zone"]) if row["schedule"] else None,
        places=tuple(sorted(places, key=lambda place: place.seq)),
        policy=Policy(
            grace=row["grace"] or fallback.grace,
            catch_up=CatchUp(row["catch_up"]) if row["catch_up"] else fallback.catch_up,
            on_unknown=OnUnknown(row["on_unknown"]) if row["on_unknown"] else fallback.on_unknown,
        ),
    )


_FREE: Final = """
update occurrences set lease_until = $2, version = version + 1
where id = any($1) and state in ('queued', 'sending')
"""


async def free(tx: Connection, occurrence_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let the leases of held places end: the rescue settles what was under them."""
    await tx.execute(_FREE, list(occurrence_ids), now)


_HASTEN: Final = """
update occurrences set due_at = greatest(scheduled_for, $2), version = version + 1
where id = any($1) and state = 'scheduled'
"""


async def hasten(tx: Connection, occurrence_ids: Sequence[UUID], *, now: datetime) -> None:
    """Make held places due at their own times, or at once."""
    await tx.execute(_HASTEN, list(occurrence_ids), now)


_RENUMBER: Final = """
update occurrences o set seq = numbered.seq, version = o.version + 1
from unnest($1::uuid[], $2::int[]) as numbered (id, seq)
where o.id = numbered.id and o.state = 'scheduled'
"""


async def renumber(tx: Connection, places: Sequence[tuple[UUID, int]]) -> None:
    """Give held places other places in the order of their reminder."""
    await tx.execute(_RENUMBER, [id for id, _ in places], [seq for _, seq in places])


_STAND: Final = """
update reminders set status = $2, sequence = sequence + $3, updated_at = $4::timestamptz,
    ended_at = case when $2 = 'active' then null else $4::timestamptz end
where id = $1
"""


async def stand(tx: Connection, reminder_id: UUID, *, status: Status, events: int, now: datetime) -> None:
    """Write a held reminder's status, and that so many events were told of it."""
    await tx.execute(_STAND, reminder_id, status.value, events, now)
