"""Loads the cases that are to be settled, under lock, and writes what was decided. All in lists.

The locks are taken on the reminders first and on their occurrences then, both in the order of ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.booking import outdated, until
from shared.domain.occurrence import Kind, Occurrence, State
from shared.domain.reminder import Progress, Status
from shared.domain.schedule import Around, BadTime, BadZone, Every, Schedule, Times, schedule_of, tzdata_version
from shared.domain.settlement import Case, Settlement
from shared.store.database import Connection
from shared.store.occurrences import BARRED

_LOCK_REMINDERS: Final = "select id from reminders where id = any($1) order by id for update"


async def lock_reminders(tx: Connection, reminder_ids: Sequence[UUID]) -> None:
    """Lock these reminders: nobody else can end or change them, nor their occurrences, until the end."""
    await tx.execute(_LOCK_REMINDERS, list(reminder_ids))


_LOAD: Final = f"""
select o.id, o.reminder_id, o.seq, o.kind, o.scheduled_for, o.state, o.attempt, o.failures, o.key_epoch,
    coalesce(o.takes_key, false) as takes_key, o.attempt_id, coalesce(o.provider, '') as provider,
    o.attempt_started_at, r.account_id, r.external_id, r.channel, r.status, r.sequence, r.last_send_at,
    r.last_attempts, coalesce(r.grace, c.grace, a.grace) as grace, coalesce(r.catch_up, c.catch_up, a.catch_up)
    as catch_up, coalesce(r.on_unknown, c.on_unknown, a.on_unknown) as on_unknown,
    changed.since, case when r.recurs or changed.since or (o.kind = 'main' and r.schedule ->> 'kind' = 'around')
        then r.schedule end as schedule, r.time_zone, {BARRED} as barred, r.segments,
    r.ended_at = o.ended_at and r.updated_at = o.ended_at as ended_by_parking,
    others.next_send_at, others.sent, others.unfinished, others.last_seq, others.missed
from occurrences o
join reminders r on r.id = o.reminder_id
join configurations c on c.id = r.configuration_id
join accounts a on a.id = r.account_id
cross join lateral (
    select r.updated_at > r.created_at and r.updated_at > o.attempt_started_at - interval '10 seconds' as since) changed
cross join lateral (
    select min(e.scheduled_for) filter (where e.seq > o.seq and e.state in ('scheduled', 'queued', 'sending'))
               as next_send_at,
           count(*) filter (where e.state = 'sent') as sent,
           count(*) filter (where e.state in ('scheduled', 'queued', 'sending')) as unfinished,
           max(e.seq) as last_seq,
           bool_or(e.kind = 'no_show' and e.seq > o.seq and e.state <> 'cancelled') as missed
    from occurrences e where e.reminder_id = o.reminder_id and e.id <> o.id) others
where o.id = any($1)
order by o.id
for update of o
"""


async def load(tx: Connection, occurrence_ids: Sequence[UUID], *, fallback: Policy) -> list[Case]:
    """These occurrences with all that a decision needs, locked; their reminders must be locked already.

    `fallback` fills in where neither the reminder, its configuration nor its account has a setting.
    """
    return [_case(row, fallback) for row in await tx.fetch(_LOAD, list(occurrence_ids))]


def _case(row: Any, fallback: Policy) -> Case:
    schedule, kind = _schedule(row), Kind(row["kind"])
    return Case(
        occurrence=Occurrence(
            id=row["id"],
            reminder_id=row["reminder_id"],
            seq=row["seq"],
            kind=kind,
            scheduled_for=row["scheduled_for"],
            state=State(row["state"]),
            attempt=row["attempt"],
            failures=row["failures"],
            key_epoch=row["key_epoch"],
            takes_key=row["takes_key"],
            until=until(kind, schedule) if isinstance(schedule, Around) else None,
        ),
        progress=Progress(
            id=row["reminder_id"],
            account_id=row["account_id"],
            external_id=row["external_id"],
            channel=row["channel"],
            status=Status(row["status"]),
            sequence=row["sequence"],
            last_send_at=row["last_send_at"],
            last_attempts=row["last_attempts"],
            sent_elsewhere=row["sent"],
            unfinished_elsewhere=row["unfinished"],
        ),
        policy=Policy(
            grace=row["grace"] or fallback.grace,
            catch_up=CatchUp(row["catch_up"]) if row["catch_up"] else fallback.catch_up,
            on_unknown=OnUnknown(row["on_unknown"]) if row["on_unknown"] else fallback.on_unknown,
        ),
        next_send_at=row["next_send_at"],
        barred=row["barred"],
        recurrence=schedule if isinstance(schedule, Every) else None,
        replaced=bool(row["since"]) and _replaced(row, schedule),
        last_seq=max(row["seq"], row["last_seq"] or 0),
        segments=row["segments"],
        ended_by_parking=bool(row["ended_by_parking"]),
        attempt_id=row["attempt_id"],
        provider=row["provider"],
        started_at=row["attempt_started_at"],
    )


def _schedule(row: Any) -> Schedule | None:
    """Where it matters. An event that the rules of this release cannot read keeps nothing from going out."""
    stored = row["schedule"]
    try:
        return schedule_of(stored, row["time_zone"]) if stored else None
    except (BadTime, BadZone):
        if stored["kind"] != "around":
            raise
        return None


def _replaced(row: Any, schedule: Schedule | None) -> bool:
    if isinstance(schedule, Around):
        return outdated(Kind(row["kind"]), row["scheduled_for"], schedule, missed=bool(row["missed"]))
    return isinstance(schedule, Times) and row["scheduled_for"] not in schedule.instants


_LOST: Final = """
select id, reminder_id from occurrences where state = 'sending' and lease_until < $1 order by lease_until limit $2
"""


async def lost(db: Connection, *, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(occurrence, reminder) of attempts whose lease ran out; read without a lock, so look again under one."""
    return [(row["id"], row["reminder_id"]) for row in await db.fetch(_LOST, now, limit)]


_STILL_LOST: Final = """
select id from occurrences where id = any($1) and state = 'sending' and lease_until < $2 order by id for update
"""


async def still_lost(tx: Connection, occurrence_ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
    """Which of these are lost even now that their reminders are locked; they are locked too, against a new lease."""
    return {row["id"] for row in await tx.fetch(_STILL_LOST, list(occurrence_ids), now)}


_STEP: Final = """
update occurrences o
set state = s.state, due_at = coalesce(s.due_at, o.due_at), failures = s.failures, key_epoch = s.key_epoch,
    reason = s.reason, lease_until = null, version = o.version + 1,
    provider_message_id = coalesce(s.message_id, o.provider_message_id),
    ended_at = case when s.due_at is null then $8::timestamptz end, look_up_at = s.look_up_at
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::int[], $6::text[], $7::text[], $9::timestamptz[])
     as s (id, state, due_at, failures, key_epoch, reason, message_id, look_up_at)
where o.id = s.id
"""

_STANDING: Final = """
update reminders r
set status = s.status, sequence = s.sequence, last_send_at = s.last_send_at, last_attempts = s.last_attempts,
    ended_at = case when s.status = 'active' then null else coalesce(r.ended_at, $6::timestamptz) end,
    updated_at = $6, tzdata_version = case when s.planned then $8 else r.tzdata_version end
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::int[], $7::boolean[])
     as s (id, status, sequence, last_send_at, last_attempts, planned)
where r.id = s.id
"""

_ATTEMPT: Final = """
insert into attempts (id, occurrence_id, account_id, number, provider, started_at, ended_at, outcome, reason, code,
                      provider_message_id)
select id, occurrence_id, account_id, number, provider, coalesce(started_at, $11), $11, outcome, reason, code,
    message_id
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
            $9::text[], $10::text[])
     as a (id, occurrence_id, account_id, number, provider, started_at, outcome, reason, code, message_id)
on conflict (id) do update
set outcome = excluded.outcome, reason = excluded.reason, code = excluded.code, ended_at = excluded.ended_at,
    provider_message_id = excluded.provider_message_id
"""


async def write_steps(tx: Connection, settlements: Sequence[Settlement], *, now: datetime) -> None:
    """Write each occurrence's next state."""
    steps = [(s.case.occurrence.id, s.step) for s in settlements]
    await tx.execute(
        _STEP,
        [occurrence for occurrence, _ in steps],
        [step.state.value for _, step in steps],
        [step.due_at for _, step in steps],
        [step.failures for _, step in steps],
        [step.key_epoch for _, step in steps],
        [step.reason for _, step in steps],
        [step.provider_message_id for _, step in steps],
        now,
        [s.look_up_at for s in settlements],
    )


async def write_standings(tx: Connection, settlements: Sequence[Settlement], *, now: datetime) -> None:
    """Write each reminder's status and counters, and the rules of its zone where they planned its next send.

    One settlement per reminder at the most.
    """
    await tx.execute(
        _STANDING,
        [s.case.progress.id for s in settlements],
        [s.status.value for s in settlements],
        [s.case.progress.sequence + len(s.events) for s in settlements],
        [s.last_send_at for s in settlements],
        [s.last_attempts for s in settlements],
        now,
        [s.planned is not None for s in settlements],
        tzdata_version(),
    )


async def write_attempts(tx: Connection, settlements: Sequence[Settlement], *, now: datetime) -> None:
    """Write one row for each provider call; a late answer replaces what the rescue had to assume."""
    called = [s for s in settlements if s.outcome is not None and s.case.attempt_id is not None]
    if not called:
        return
    await tx.execute(
        _ATTEMPT,
        [s.case.attempt_id for s in called],
        [s.case.occurrence.id for s in called],
        [s.case.progress.account_id for s in called],
        [s.case.occurrence.attempt for s in called],
        [s.case.provider for s in called],
        [s.case.started_at for s in called],
        [s.outcome for s in called],
        [s.step.reason for s in called],
        [s.code for s in called],
        [s.step.provider_message_id for s in called],
        now,
    )


_PAUSE: Final = """
insert into provider_pauses (account_id, channel, provider, reason, since, until)
select account_id, channel, provider, reason, $5::timestamptz, $5::timestamptz + $6::interval
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as p (account_id, channel, provider, reason)
on conflict (account_id, channel) do update
set until = excluded.until, reason = excluded.reason, provider = excluded.provider
where provider_pauses.until < excluded.until
returning account_id, channel, xmax = 0 as new
"""


async def pause_providers(
    tx: Connection, pauses: Sequence[tuple[UUID, str, str, str]], *, now: datetime, lasting: timedelta
) -> list[tuple[UUID, str]]:
    """Rest (account, channel, provider, reason) for a while; returns the (account, channel) that rest only now."""
    columns = [list(column) for column in zip(*pauses, strict=True)]
    rows = await tx.fetch(_PAUSE, *columns, now, lasting)
    return [(row["account_id"], row["channel"]) for row in rows if row["new"]]


_RESUME: Final = """
delete from provider_pauses p using unnest($1::uuid[], $2::text[]) as s (account_id, channel)
where p.account_id = s.account_id and p.channel = s.channel
"""


async def resume_providers(tx: Connection, served: Sequence[tuple[UUID, str]]) -> None:
    """End the rest of these (account, channel): the provider took a message again."""
    await tx.execute(_RESUME, [account for account, _ in served], [channel for _, channel in served])


_NEXT_ACCOUNT_SEQUENCE: Final = "update accounts set sequence = sequence + 1 where id = $1 returning sequence"


async def next_account_sequence(tx: Connection, account_id: UUID) -> int:
    """The number of the next event about the account itself; locks the account for the rest of the transaction."""
    sequence: int = await tx.fetchval(_NEXT_ACCOUNT_SEQUENCE, account_id)
    return sequence


_NEXT_DELETED_SEQUENCE: Final = """
update deleted_reminders set sequence = sequence + 1 where id = $1 returning sequence
"""


async def next_deleted_sequence(tx: Connection, reminder_id: UUID) -> int | None:
    """The number of the next event about a deleted reminder, or None where it left no trace."""
    sequence: int | None = await tx.fetchval(_NEXT_DELETED_SEQUENCE, reminder_id)
    return sequence
