"""Reminders whose planned sends were computed with older rules of their time zone (B-270).

Nothing here waits for a reminder or an enrolment that somebody else holds: the next look finds it. Locks are taken on
reminders first and on their occurrences then, in the order of ids, as everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place
from shared.store.database import Connection

RULES_CHANGED: Final = "rules_changed"
"""The reason of a planned send whose place another took, because the rules of its zone changed."""

# From one version to the next by the index, however many reminders have each.
_VERSIONS: Final = """
with recursive found as (
    (select tzdata_version as version from reminders where status = 'active' and time_zone <> 'UTC'
     order by tzdata_version limit 1)
    union all
    select (select r.tzdata_version from reminders r
            where r.status = 'active' and r.time_zone <> 'UTC' and r.tzdata_version > f.version
            order by r.tzdata_version limit 1)
    from found f where f.version is not null)
select version from found where version is not null
"""


async def versions(db: Connection) -> list[str]:
    """The releases of time-zone rules that active reminders were planned with; those in UTC follow no rules."""
    return [row["version"] for row in await db.fetch(_VERSIONS)]


@dataclass(frozen=True, slots=True)
class Taken:
    """An active reminder, locked, with what its sends follow from."""

    id: UUID
    account_id: UUID
    external_id: str | None
    schedule_json: dict[str, Any]
    time_zone: str
    sequence: int
    enrollment_id: UUID | None
    """Of a recurring campaign, whose plans follow from its contacts' due dates."""


_TAKE: Final = """
select r.id, r.account_id, r.external_id, r.schedule as schedule_json, r.time_zone, r.sequence,
    (select e.id from enrollments e join campaigns g on g.id = e.campaign_id
     where e.id = r.enrollment_id and g.type = 'recurring') as enrollment_id
from reminders r
where r.status = 'active' and r.time_zone <> 'UTC' and r.tzdata_version = $1
order by r.id limit $2
for update of r skip locked
"""


async def take(tx: Connection, version: str, *, limit: int) -> list[Taken]:
    """Up to `limit` reminders that were planned with this release of rules."""
    return [Taken(**dict(row)) for row in await tx.fetch(_TAKE, version, limit)]


_HOLD: Final = """
select id from occurrences where reminder_id = any($1) and state in ('scheduled', 'queued', 'sending')
order by id for update
"""

_LOOK: Final = """
select id, reminder_id, seq, scheduled_for, state, kind, state = 'scheduled' and attempt = 0 as movable
from occurrences where reminder_id = any($1) order by seq
"""


async def look(tx: Connection, reminder_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Place, bool]]]:
    """All places of reminders that are held, and whether each may move: nobody holds it, and no try was made."""
    await tx.execute(_HOLD, list(reminder_ids))
    found: dict[UUID, list[tuple[Place, bool]]] = defaultdict(list)
    for row in await tx.fetch(_LOOK, list(reminder_ids)):
        place = Place(row["id"], row["seq"], row["scheduled_for"], State(row["state"]), Kind(row["kind"]))
        found[row["reminder_id"]].append((place, row["movable"]))
    return found


_MOVE: Final = f"""
with moved as (select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[]) as m (id, new_id, seq, at)),
gone as (
    update occurrences o set state = 'cancelled', version = version + 1, ended_at = $5, reason = '{RULES_CHANGED}'
    from moved m where o.id = m.id
    returning o.id, o.reminder_id, o.account_id, o.kind, o.text, o.subject)
insert into occurrences (id, reminder_id, account_id, seq, kind, scheduled_for, due_at, text, subject)
select m.new_id, g.reminder_id, g.account_id, m.seq, g.kind, m.at, m.at, g.text, g.subject
from gone g join moved m on m.id = g.id
"""


async def move(tx: Connection, moved: Sequence[tuple[UUID, UUID, int, datetime]], *, now: datetime) -> None:
    """Let new sends (id, new id, `seq`, instant) take the places of held ones, which stay for the record."""
    if moved:
        ids, new_ids, seqs, instants = (list(column) for column in zip(*moved, strict=True))
        await tx.execute(_MOVE, ids, new_ids, seqs, instants, now)


_RENUMBER: Final = """
update occurrences o set seq = n.seq, version = version + 1
from unnest($1::uuid[], $2::int[]) as n (id, seq) where o.id = n.id
"""


async def renumber(tx: Connection, places: Sequence[tuple[UUID, int]]) -> None:
    """Give held places another `seq`."""
    if places:
        await tx.execute(_RENUMBER, [id for id, _ in places], [seq for _, seq in places])


_STAMP: Final = """
update reminders r set tzdata_version = $3, sequence = r.sequence + s.moved::int
from unnest($1::uuid[], $2::boolean[]) as s (id, moved) where r.id = s.id
"""


async def stamp(tx: Connection, read: Sequence[tuple[UUID, bool]], version: str) -> None:
    """Note of held reminders by which rules they were read; those that moved have one event more.

    `updated_at` stays: it tells settling that a caller changed what is under way.
    """
    await tx.execute(_STAMP, [id for id, _ in read], [moved for _, moved in read], version)


_MARK_STALE: Final = """
with free as materialized (
    select id from enrollments where id = any($1) and (select count(*) from (
        select from enrollments where stale limit $2) waiting) < $2
    order by id for update skip locked)
update enrollments e set stale = true from free where e.id = free.id
returning e.id
"""


async def mark_stale(tx: Connection, enrollment_ids: Sequence[UUID], *, most: int) -> set[UUID]:
    """Have enrolments planned anew; returns those that will be: none while `most` of all wait for that already.

    Until then nothing of a stale one is sent, so there must not be many. One that is being planned is left out.
    """
    if not enrollment_ids:
        return set()
    return {row["id"] for row in await tx.fetch(_MARK_STALE, list(enrollment_ids), most)}
