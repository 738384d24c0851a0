"""What callers ask for, as rows: reminders written in lists with their planned sends, and rewritten one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from shared.domain.draft import Draft
from shared.domain.plan import Planned
from shared.domain.reminder import HistoryEntry, Status
from shared.domain.schedule import Every, to_json, tzdata_version
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewReminder:
    """A draft with its place in the account, ready to be written with its planned sends and its first entry."""

    id: UUID
    account_id: UUID
    configuration_id: UUID
    door: str
    draft: Draft
    planned: Sequence[Planned]
    entry: HistoryEntry
    created_at: datetime
    enrollment_id: UUID | None = None
    birthday: bool = False
    segments: int | None = None
    """SMS segments that it took from the quota of the month of `created_at`."""

    @property
    def status(self) -> Status:
        """Expired from the start where nothing of it is to be sent."""
        return Status.ACTIVE if any(one.skipped is None for one in self.planned) else Status.EXPIRED


# One statement for the three tables, fed as JSON: lists inside rows have no other way in.
_INSERT: Final = """
with draft as materialized (
    select * from json_to_recordset($1::json) as d (
        id uuid, account_id uuid, configuration_id uuid, door text, external_id text, channel text, address text,
        country_code text, phone_number text, national_digits text, recipient_name text, template_name text,
        parameters text[], text text, subject text, schedule jsonb, time_zone text, tzdata_version text, recurs boolean,
        category text, contact_id uuid, details jsonb, fingerprint text, enrollment_id uuid, birthday boolean,
        segments integer, status text, created_at timestamptz, planned json, detail text)),
kept as (
    insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, country_code,
        phone_number, national_digits, recipient_name, template_name, parameters, text, subject, schedule, time_zone,
        tzdata_version, recurs, category, contact_id, details, fingerprint, enrollment_id, birthday, segments,
        quota_month, status, ended_at, sequence, created_at, updated_at)
    select id, account_id, configuration_id, door, external_id, channel, address, country_code, phone_number,
        national_digits, recipient_name, template_name, parameters, text, subject, schedule, time_zone, tzdata_version,
        recurs, category, contact_id, details, decode(fingerprint, 'hex'), enrollment_id, birthday, segments,
        case when segments is not null then date_trunc('month', created_at at time zone 'UTC')::date end, status,
        case when status <> 'active' then created_at end, 1, created_at, created_at
    from draft
    on conflict do nothing
    returning id),
places as (
    insert into occurrences (id, reminder_id, account_id, seq, kind, scheduled_for, due_at, text, state, reason,
        ended_at)
    select place.id, d.id, d.account_id, place.seq, place.kind, place.at, place.at, place.text,
        case when place.skipped is null then 'scheduled' else 'skipped' end, place.skipped,
        case when place.skipped is not null then d.created_at end
    from kept join draft d on d.id = kept.id
    cross join lateral json_to_recordset(d.planned) as place (
        id uuid, seq integer, kind text, at timestamptz, text text, skipped text)),
told as (
    insert into history (reminder_id, at, action, detail, status)
    select d.id, d.created_at, 'Created', d.detail, d.status from kept join draft d on d.id = kept.id)
select id from kept
"""


async def insert(tx: Connection, reminders: Sequence[NewReminder]) -> set[UUID]:
    """Write reminders, their planned sends and their first history entries in one statement.

    Returns the ids of those written; one is missing where there is one already with its caller's id, for its
    enrolment, its contact's birthday or its appointment. Their first event is number 1, which the caller appends.
    """
    rows = await tx.fetch(_INSERT, orjson.dumps([_row(reminder) for reminder in reminders]).decode())
    return {row["id"] for row in rows}


def _row(reminder: NewReminder) -> dict[str, Any]:
    draft = reminder.draft
    return {
        "id": reminder.id,
        "account_id": reminder.account_id,
        "configuration_id": reminder.configuration_id,
        "door": reminder.door,
        "external_id": draft.external_id,
        "status": reminder.status.value,
        "created_at": reminder.created_at,
        "enrollment_id": reminder.enrollment_id,
        "birthday": reminder.birthday,
        "segments": reminder.segments,
        "planned": [_place(seq, planned) for seq, planned in enumerate(reminder.planned, start=1)],
        "detail": reminder.entry.detail,
        "fingerprint": draft.fingerprint().hex(),
        **_contents(draft),
    }


def _place(seq: int, planned: Planned) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "seq": seq,
        "kind": planned.kind.value,
        "at": planned.at,
        "text": planned.text,
        "skipped": planned.skipped,
    }


def _contents(draft: Draft) -> dict[str, Any]:
    return {
        "channel": draft.channel.value,
        "address": draft.address,
        "country_code": draft.country_code,
        "phone_number": draft.phone_number,
        "national_digits": draft.national_digits,
        "recipient_name": draft.recipient_name,
        "template_name": draft.template_name,
        "parameters": draft.parameters,
        "text": draft.text,
        "subject": draft.subject,
        "schedule": to_json(draft.schedule),
        "time_zone": draft.time_zone,
        "tzdata_version": tzdata_version(),
        "recurs": isinstance(draft.schedule, Every),
        "category": draft.category.value,
        "contact_id": draft.contact_id,
        "details": draft.details,
    }


_REPLACE: Final = """
update reminders set channel = $3, address = $4, country_code = $5, phone_number = $6, national_digits = $7,
    recipient_name = $8, template_name = $9, parameters = $10, text = $11, subject = $12, schedule = $13,
    time_zone = $14, recurs = $16, category = $17, contact_id = $18, details = $19,
    external_id = $20, updated_at = $21,
    tzdata_version = case when schedule <> $13 or time_zone <> $14 then $15 else tzdata_version end
where account_id = $1 and id = $2
"""


async def replace(tx: Connection, draft: Draft, *, account_id: UUID, id: UUID, now: datetime) -> None:
    """Write what a caller may change of a held reminder; the body first accepted stays its fingerprint.

    While its times stay as they are written, its sends are those of the rules that they were planned with.

    Raises `Taken` where another live appointment has its external id.
    """
    await tx.execute(_REPLACE, account_id, id, *_contents(draft).values(), draft.external_id, now)
