"""Reminders: written in lists, read with how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from shared.domain.draft import Draft, Reminder
from shared.domain.recipient import Channel
from shared.domain.reminder import HistoryEntry, Status
from shared.domain.schedule import tzdata_version
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewReminder:
    """A draft with its place in the account, ready to be written with its planned sends and its first entry."""

    id: UUID
    account_id: UUID
    configuration_id: UUID
    door: str
    channel: Channel
    draft: Draft
    entry: HistoryEntry
    created_at: datetime


# One statement for the three tables, fed as JSON: lists inside rows have no other way in.
_INSERT: Final = """
with draft as materialized (
    select * from json_to_recordset($1::json) as d (
        id uuid, account_id uuid, configuration_id uuid, door text, external_id text, channel text, address text,
        country_code text, phone_number text, national_digits text, recipient_name text, template_name text,
        parameters text[], schedule jsonb, time_zone text, tzdata_version text, fingerprint text,
        created_at timestamptz, occurrence_ids uuid[], instants timestamptz[], detail text)),
kept as (
    insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, country_code,
        phone_number, national_digits, recipient_name, template_name, parameters, schedule, time_zone,
        tzdata_version, status, fingerprint, sequence, created_at, updated_at)
    select id, account_id, configuration_id, door, external_id, channel, address, country_code, phone_number,
        national_digits, recipient_name, template_name, parameters, schedule, time_zone, tzdata_version, 'active',
        decode(fingerprint, 'hex'), 1, created_at, created_at
    from draft
    on conflict (configuration_id, external_id) where door in ('integration', 'items') do nothing
    returning id),
planned as (
    insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at)
    select place.id, d.id, d.account_id, place.seq, place.at, place.at
    from kept join draft d on d.id = kept.id
    cross join lateral unnest(d.occurrence_ids, d.instants) with ordinality as place (id, at, seq)),
told as (
    insert into history (reminder_id, at, action, detail, status)
    select d.id, d.created_at, 'Created', d.detail, 'active' from kept join draft d on d.id = kept.id)
select id from kept
"""


async def insert(tx: Connection, reminders: Sequence[NewReminder]) -> set[UUID]:
    """Write reminders, their planned sends and their first history entries in one statement.

    Returns the ids of those written; one is missing where its configuration has that caller's id already.
    Their first event is number 1, which the caller appends.
    """
    rows = await tx.fetch(_INSERT, orjson.dumps([_row(reminder) for reminder in reminders]).decode())
    return {row["id"] for row in rows}


def _row(reminder: NewReminder) -> dict[str, Any]:
    draft = reminder.draft
    instants = draft.times.instants
    return {
        "id": reminder.id,
        "account_id": reminder.account_id,
        "configuration_id": reminder.configuration_id,
        "door": reminder.door,
        "external_id": draft.external_id,
        "channel": reminder.channel.value,
        "created_at": reminder.created_at,
        "occurrence_ids": [uuid7() for _ in instants],
        "instants": instants,
        "detail": reminder.entry.detail,
        **_contents(draft),
    }


def _contents(draft: Draft) -> dict[str, Any]:
    return {
        "address": draft.phone.e164,
        "country_code": draft.country_code,
        "phone_number": draft.phone_number,
        "national_digits": draft.phone.national,
        "recipient_name": draft.recipient_name,
        "template_name": draft.template_name,
        "parameters": draft.parameters,
        "schedule": draft.schedule(),
        "time_zone": draft.time_zone,
        "tzdata_version": tzdata_version(),
        "fingerprint": draft.fingerprint().hex(),
    }


_LOCK: Final = "select id from reminders where account_id = $1 and id = $2 for update"


async def lock(tx: Connection, *, account_id: UUID, id: UUID) -> bool:
    """Hold a reminder: until the end nobody else changes or ends it. False where it is gone."""
    return await tx.fetchval(_LOCK, account_id, id) is not None


_LOCK_NAMED: Final = """
select id from reminders where account_id = $1 and configuration_id = $2 and external_id = $3
    and door in ('integration', 'items')
for update
"""


async def lock_named(tx: Connection, *, account_id: UUID, configuration_id: UUID, external_id: str) -> UUID | None:
    """The same by its caller's id: ours, or None where it is not there."""
    id: UUID | None = await tx.fetchval(_LOCK_NAMED, account_id, configuration_id, external_id)
    return id


COLUMNS: Final = """r.id, r.account_id, r.configuration_id, r.door, r.external_id, r.channel, r.address,
    r.country_code, r.phone_number, r.national_digits, r.recipient_name, r.template_name, r.parameters, r.schedule,
    r.time_zone, r.status, r.fingerprint, r.sequence, r.last_send_at, r.last_attempts, r.created_at"""

PROGRESS: Final = """cross join lateral (
    select min(o.scheduled_for) filter (where r.status = 'active' and o.state in ('scheduled', 'queued', 'sending'))
               as next_send_at,
           count(*) filter (where o.state = 'sent') as sent,
           count(*) filter (where o.state in ('skipped', 'expired')) as skipped
    from occurrences o where o.reminder_id = r.id) progress"""
"""Beside `reminders r`: how far it is."""


def reminder_of(row: Any) -> Reminder:
    """The reminder in a row with `COLUMNS` and `PROGRESS`."""
    values = dict(row)
    values["channel"] = Channel(row["channel"])
    values["status"] = Status(row["status"])
    values["parameters"] = tuple(row["parameters"])
    return Reminder(**values)


_GET: Final = f"""
select {COLUMNS}, progress.* from reminders r {PROGRESS}
where r.account_id = $1 and r.configuration_id = $2 and r.external_id = $3 and r.door in ('integration', 'items')
"""


async def get(db: Connection, *, account_id: UUID, configuration_id: UUID, external_id: str) -> Reminder | None:
    """A reminder by its caller's id within a configuration."""
    row = await db.fetchrow(_GET, account_id, configuration_id, external_id)
    return reminder_of(row) if row else None


_GET_BY_ID: Final = f"""
select {COLUMNS}, progress.* from reminders r {PROGRESS} where r.account_id = $1 and r.id = $2
"""


async def get_by_id(db: Connection, *, account_id: UUID, id: UUID) -> Reminder | None:
    """A reminder by our own id."""
    row = await db.fetchrow(_GET_BY_ID, account_id, id)
    return reminder_of(row) if row else None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reminder is: the same caller's id may stand in several configurations of an account."""

    id: UUID
    external_id: str
    agent_id: str
    configuration_id: str


_FIND: Final = """
select r.id, r.external_id, c.agent_id, c.configuration_id
from configurations c
join reminders r on r.configuration_id = c.id and r.external_id = any($2) and r.door in ('integration', 'items')
where c.account_id = $1 and ($3::text is null or c.agent_id = $3) and ($4::text is null or c.configuration_id = $4)
"""


async def find(
    db: Connection,
    *,
    account_id: UUID,
    external_ids: Sequence[str],
    agent_id: str | None,
    configuration_id: str | None,
) -> list[Address]:
    """An account's reminders with those callers' ids; None is any agent, any configuration."""
    rows = await db.fetch(_FIND, account_id, list(external_ids), agent_id, configuration_id)
    return [Address(**dict(row)) for row in rows]


_REPLACE: Final = """
update reminders set address = $3, country_code = $4, phone_number = $5, national_digits = $6, recipient_name = $7,
    template_name = $8, parameters = $9, schedule = $10, time_zone = $11, tzdata_version = $12, updated_at = $13
where account_id = $1 and id = $2
"""


async def replace(tx: Connection, draft: Draft, *, account_id: UUID, id: UUID, now: datetime) -> None:
    """Write what a caller may change of a held reminder; the body first accepted stays its fingerprint."""
    values = _contents(draft)
    del values["fingerprint"]
    await tx.execute(_REPLACE, account_id, id, *values.values(), now)


_STAND: Final = """
update reminders set status = $3, sequence = $4, last_attempts = case when $5 then 0 else last_attempts end,
    ended_at = case when $3 = 'active' then null else coalesce(ended_at, $6) end, updated_at = $6
where account_id = $1 and id = $2
"""


async def stand(
    tx: Connection, *, account_id: UUID, id: UUID, status: Status, sequence: int, afresh: bool, now: datetime
) -> None:
    """Set a held reminder's status and the number of its newest event; `afresh` forgets failed attempts."""
    await tx.execute(_STAND, account_id, id, status.value, sequence, afresh, now)


_DELETE: Final = """
with gone as (delete from reminders where account_id = $1 and id = $2 returning id, account_id, external_id)
insert into deleted_reminders (id, account_id, external_id, sequence, deleted_at)
select id, account_id, external_id, $3, $4 from gone
"""


async def delete(tx: Connection, *, account_id: UUID, id: UUID, sequence: int, now: datetime) -> None:
    """Remove a held reminder with all that hangs on it; its id and the number of its newest event stay behind."""
    await tx.execute(_DELETE, account_id, id, sequence, now)
