"""The road of a planned send to its provider: claimed when due, queued under a lease, begun under a fence.

First send, retry, lost hint and dead worker are the same claim. Every statement locks occurrences in the order
of their ids, and none locks a reminder after an occurrence: so none can deadlock another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.store.consents import SUPPRESSED
from shared.store.database import Connection

_NOW: Final = "select clock_timestamp()"


async def database_now(db: Connection) -> datetime:
    """The database's clock: the only one that decides what is due."""
    now: datetime = await db.fetchval(_NOW)
    return now


@dataclass(frozen=True, slots=True)
class Claimed:
    """One due occurrence, queued for `lease` from now on."""

    id: UUID
    version: int
    reminder_id: UUID
    questionable: bool
    """Late enough that a misfire rule may apply, or its recipient may not be written to."""


BARRED: Final = f"""case
    when exists (select from suppressions s where {SUPPRESSED})
        then 'opted_out'
    when r.category = 'marketing'
         and not exists (select from contacts p where p.id = r.contact_id and p.marketing_consent)
        then 'no_marketing_consent' end"""
"""Why the recipient of `reminders r` may not be written to now, or null (B-267, B-268)."""


Mark = tuple[datetime, UUID]
"""A place in the queue of what is due: `due_at` and the occurrence's id."""

WINDOW: Final = 5_000
"""Due occurrences that one claim looks at, whether they can be claimed or wait for something."""

_CAMPAIGN_RUNS: Final = """(r.enrollment_id is null or exists (
          select from enrollments e join campaigns g on g.id = e.campaign_id
          where e.id = r.enrollment_id and not e.stale and e.plan >= g.plan and g.status = 'running'))"""
"""Whether `reminders r` may be sent as far as its campaign goes: it runs, and the plan fits it (B-098, B-265)."""

_CONFIGURATION_RUNS: Final = """exists (
          select from configurations c where c.id = r.configuration_id and c.state = 'running')"""

_AFTER: Final = "(coalesce($2::timestamptz, '-infinity'), coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))"

_CLAIM: Final = f"""
with due as materialized (
    select o.id, {BARRED} is not null as barred
    from (select l.id, l.due_at from occurrences l
          where l.state = 'scheduled' and l.due_at <= $1 and (l.due_at, l.id) > {_AFTER}
          order by l.due_at, l.id limit $4) look
    join occurrences o on o.id = look.id
    join reminders r on r.id = o.reminder_id
    join configurations c on c.id = r.configuration_id
    where o.state = 'scheduled' and o.due_at <= $1 and c.state = 'running'
      and not exists (select from occurrences e where e.reminder_id = o.reminder_id and e.seq < o.seq
                      and e.state in ('scheduled', 'queued', 'sending'))
      and not exists (select from provider_pauses p where p.account_id = o.account_id and p.channel = r.channel
                      and p.until > $1)
      and {_CAMPAIGN_RUNS}
    order by look.due_at, look.id limit $5
    for update of o skip locked)
update occurrences o
set state = 'queued', version = o.version + 1, lease_until = $1 + $6::interval
from due where o.id = due.id
returning o.id, o.version, o.reminder_id,
    due.barred or o.scheduled_for < $1 - interval '1 second' as questionable
"""


async def claim_due(
    tx: Connection, *, now: datetime, limit: int, lease: timedelta, after: Mark | None = None, window: int = WINDOW
) -> list[Claimed]:
    """Queue up to `limit` due occurrences, each the first unfinished one of its reminder; skips what others claim.

    It looks at `window` of them and no more, the oldest behind `after`: however many cannot be claimed, because
    their configuration is paused or their provider rests, it takes no longer.
    """
    rows = await tx.fetch(_CLAIM, now, *(after or (None, None)), window, limit, lease)
    return [Claimed(**dict(row)) for row in rows]


_END_OF_WINDOW: Final = f"""
select due_at, id from occurrences
where state = 'scheduled' and due_at <= $1 and (due_at, id) > {_AFTER}
order by due_at, id offset $4::int - 1 limit 1
"""


async def end_of_window(db: Connection, *, now: datetime, after: Mark | None, window: int) -> Mark | None:
    """The last that a claim looks at, or None where it comes to the end of what is due."""
    row = await db.fetchrow(_END_OF_WINDOW, now, *(after or (None, None)), window)
    return (row["due_at"], row["id"]) if row else None


_NEWEST_WINDOW: Final = """
select due_at, id from occurrences
where state = 'scheduled' and due_at <= $1 order by due_at desc, id desc offset $2 limit 1
"""


async def newest_window(db: Connection, *, now: datetime, window: int) -> Mark | None:
    """What stands before the newest `window` of those that are due."""
    row = await db.fetchrow(_NEWEST_WINDOW, now, window)
    return (row["due_at"], row["id"]) if row else None


_NEXT_DUE: Final = """
select due_at from occurrences where state = 'scheduled' and due_at > $1 order by due_at limit 1
"""


async def next_due(db: Connection, *, now: datetime) -> datetime | None:
    """When the next occurrence after `now` falls due."""
    due_at: datetime | None = await db.fetchval(_NEXT_DUE, now)
    return due_at


_RELEASE: Final = """
with unbegun as materialized (
    select o.id from occurrences o join unnest($1::uuid[], $2::int[]) as hint (id, version)
      on o.id = hint.id and o.version = hint.version
    where o.state = 'queued' order by o.id for update of o skip locked)
update occurrences o set state = 'scheduled', version = o.version + 1, lease_until = null
from unbegun where o.id = unbegun.id
"""


async def release(db: Connection, hints: Sequence[tuple[UUID, int]]) -> None:
    """Give back claims that were not begun: they are due again at once."""
    await db.execute(_RELEASE, [occurrence for occurrence, _ in hints], [version for _, version in hints])


_RESCUE_QUEUED: Final = """
with lost as materialized (
    select id from occurrences where state = 'queued' and lease_until < $1
    order by id limit $2 for update skip locked)
update occurrences o set state = 'scheduled', version = o.version + 1, lease_until = null
from lost where o.id = lost.id
returning o.id
"""


async def rescue_queued(tx: Connection, *, now: datetime, limit: int) -> int:
    """Make due again what was queued and never begun: its hint was lost. Returns how many."""
    return len(await tx.fetch(_RESCUE_QUEUED, now, limit))


@dataclass(frozen=True, slots=True)
class Route:
    """Which provider serves a channel, and whether it honours a key."""

    channel: str
    provider: str
    takes_key: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """An occurrence that is `sending`, with all that the provider needs."""

    id: UUID
    account_id: UUID
    reminder_id: UUID
    external_id: str | None
    attempt_id: UUID
    attempt: int
    key_epoch: int
    scheduled_for: datetime
    provider: str
    channel: str
    address: str
    template_name: str | None
    registered: bool
    """Whether a template of that name is registered here."""
    provider_name: str | None
    language: str | None
    body: str | None
    template_subject: str | None
    parameters: list[str]
    text: str | None
    subject: str | None


_BEGIN: Final = f"""
with hint as (select * from unnest($1::uuid[], $2::int[], $3::uuid[]) as h (id, version, attempt_id)),
     route as (select * from unnest($4::text[], $5::text[], $6::bool[]) as x (channel, provider, takes_key)),
     startable as materialized (
        select o.id, h.attempt_id, x.provider, x.takes_key
        from hint h
        join occurrences o on o.id = h.id
        join reminders r on r.id = o.reminder_id
        join route x on x.channel = r.channel
        where o.version = h.version and r.status = 'active' and {BARRED} is null
          and ((o.state = 'queued' and {_CONFIGURATION_RUNS} and {_CAMPAIGN_RUNS})
               or (o.state = 'sending' and o.attempt_id = h.attempt_id))
        order by o.id
        for update of o)
update occurrences o
set state = 'sending', attempt = o.attempt + (o.state = 'queued')::int, attempt_id = s.attempt_id,
    provider = s.provider, takes_key = s.takes_key, attempt_started_at = clock_timestamp(),
    lease_until = clock_timestamp() + $7::interval
from startable s, reminders r
left join templates t on t.configuration_id = r.configuration_id and t.name = r.template_name
where o.id = s.id and r.id = o.reminder_id
returning o.id, o.account_id, o.reminder_id, r.external_id, o.attempt_id, o.attempt, o.key_epoch, o.scheduled_for,
    o.provider, r.channel, r.address, r.template_name, t.id is not null as registered, t.provider_name, t.language,
    t.body, t.subject as template_subject, r.parameters, coalesce(o.text, r.text) as text,
    coalesce(o.subject, r.subject) as subject
"""


async def begin(
    tx: Connection, hints: Sequence[tuple[UUID, int, UUID]], *, routes: Sequence[Route], lease: timedelta
) -> list[Begun]:
    """Mark these (id, version, new attempt id) as sending; commit it before the first byte goes to a provider.

    What is missing from the result was a duplicate, cancelled, changed or done: it drops out here. So does a send
    whose recipient opted out since its claim, or whose configuration or campaign was paused, or its campaign changed:
    it is claimed anew, or ended, after its lease. Safe to repeat: what these very attempts have begun already is in the
    result again, under a new lease.
    """
    ids, versions, attempts = (list(column) for column in zip(*hints, strict=True))
    channels, providers, keys = (
        [getattr(route, name) for route in routes] for name in ("channel", "provider", "takes_key")
    )
    rows = await tx.fetch(_BEGIN, ids, versions, attempts, channels, providers, keys, lease)
    return [Begun(**dict(row)) for row in rows]


_LISTEN_CHANNEL: Final = "belltower_due"


async def listen_for_due(connection: Any, wake: Any) -> None:
    """Call `wake()` whenever someone commits an occurrence that falls due within two seconds."""
    await connection.add_listener(_LISTEN_CHANNEL, lambda *_: wake())


_RING: Final = "select pg_notify('belltower_due', '')"


async def ring(tx: Connection) -> None:
    """Wake the schedulers when this transaction commits: once per batch, and only for something due at once."""
    await tx.execute(_RING)
