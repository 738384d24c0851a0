"""Reads the database's book for the checker, all in one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from tests.rig.ledgers import (
    AttemptRow,
    DeliveryAttemptRow,
    DeliveryRow,
    EndpointRow,
    EventRow,
    OccurrenceRow,
    ReminderRow,
    Rows,
)

T = TypeVar("T")

_STATEMENTS: Final[dict[type, str]] = {
    ReminderRow: """
        select r.id, r.external_id, r.status, r.sequence, r.recurs,
            coalesce(r.on_unknown, c.on_unknown, a.on_unknown, $2::text) as on_unknown
        from reminders r join configurations c on c.id = r.configuration_id join accounts a on a.id = r.account_id
        where $1::uuid is null or r.account_id = $1""",
    OccurrenceRow: """
        select id, reminder_id, seq, scheduled_for, state, failures, coalesce(takes_key, true) as takes_key, ended_at
        from occurrences where $1::uuid is null or account_id = $1""",
    AttemptRow: """
        select occurrence_id, number, started_at, outcome, coalesce(reason, '') as reason, code
        from attempts where $1::uuid is null or account_id = $1""",
    EventRow: """
        select id, type, subject, sequence, published_at is not null as published, account_id,
            (data ->> 'occurrence_id')::uuid as occurrence_id, at
        from outbox where $1::uuid is null or account_id = $1""",
    EndpointRow: """
        select id, account_id, event_types, created_at, status
        from endpoints where $1::uuid is null or account_id = $1""",
    DeliveryRow: """
        select id, endpoint_id, event_id, state, attempt
        from deliveries where $1::uuid is null or account_id = $1""",
    DeliveryAttemptRow: """
        select a.delivery_id, a.number, a.started_at from delivery_attempts a join deliveries d on d.id = a.delivery_id
        where $1::uuid is null or d.account_id = $1""",
}
_DELETED: Final = """
    select external_id from deleted_reminders
    where external_id is not null and ($1::uuid is null or account_id = $1)"""


async def read_rows(dsn: str, *, account_id: UUID | None = None, on_unknown: str = "park") -> Rows:
    """Everything that the checker compares, of one account or of all; `on_unknown` is the deployment's own policy."""
    async with _snapshot(dsn) as db:
        return Rows(
            reminders=await _read(db, ReminderRow, account_id, on_unknown),
            deleted=frozenset(row["external_id"] for row in await db.fetch(_DELETED, account_id)),
            occurrences=await _read(db, OccurrenceRow, account_id),
            attempts=await _read(db, AttemptRow, account_id),
            events=await _read(db, EventRow, account_id),
            endpoints=await _read(db, EndpointRow, account_id),
            deliveries=await _read(db, DeliveryRow, account_id),
            delivery_attempts=await _read(db, DeliveryAttemptRow, account_id),
        )


async def texts(dsn: str) -> dict[str, UUID]:
    """Which occurrence each text belongs to; only where every send has a text of its own."""
    async with _snapshot(dsn) as db:
        rows = await db.fetch("""
            select coalesce(o.text, r.text) as text, o.id
            from occurrences o join reminders r on r.id = o.reminder_id""")
    return {row["text"]: row["id"] for row in rows}


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


async def _read(db: asyncpg.Connection, kind: type[T], *arguments: Any) -> Sequence[T]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    rows = await db.fetch(_STATEMENTS[kind], *arguments)
    return [kind(**{name: _plain(row[name]) for name in names}) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return UUID(int=value.int) if isinstance(value, UUID) else value
