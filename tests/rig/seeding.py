"""Reminders written straight to the database: thousands that fall due together, without asking the API for each."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg

_SEED = """
with made as (
    insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, template_name,
        text, schedule, tzdata_version, status, on_unknown, created_at, updated_at)
    select gen_random_uuid(), $1, c.id, 'integration', $3 || ' ' || n, 'sms', '+62812' || lpad(n::text, 8, '0'),
        'greeting', 'Hello ' || $3 || ' ' || n,
        jsonb_build_object('kind', 'times', 'send_times', jsonb_build_array(
            now() + $4::interval + $5::interval * n / $2)),
        '2026.6', 'active', $6, now(), now()
    from generate_series(1, $2) as n, (select id from configurations where account_id = $1 limit 1) c
    returning id, (schedule #>> '{send_times,0}')::timestamptz as due)
insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at)
select gen_random_uuid(), id, $1, 1, due, due from made
"""


async def seed(
    dsn: str,
    account_id: UUID,
    count: int,
    *,
    due_in: float,
    over: float = 0.0,
    name: str = "reminder",
    on_unknown: str | None = None,
) -> None:
    """`count` reminders named `<name> <n>`, each with its own number and text.

    They fall due `due_in` seconds from now, all at once or spread evenly `over` so many seconds.
    """
    connection = await asyncpg.connect(dsn, command_timeout=120)
    try:
        after, spread = timedelta(seconds=due_in), timedelta(seconds=over)
        await connection.execute(_SEED, account_id, count, name, after, spread, on_unknown)
    finally:
        await connection.close()
