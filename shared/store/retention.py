"""How long things are kept: outbox 7 days, deliveries and traces of deleted reminders 30 days, stored answers 24 h."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import asyncpg

from shared.store.database import Connection

OUTBOX_DAYS: Final = 7
AHEAD_DAYS: Final = 3
BATCH: Final = 5_000

_ONE_AT_A_TIME: Final = "select pg_try_advisory_xact_lock(4774451407313060418)"


async def try_lock(tx: Connection) -> bool:
    """Whether this transaction may keep house; one at a time in the whole deployment."""
    locked: bool = await tx.fetchval(_ONE_AT_A_TIME)
    return locked


_BRIEFLY: Final = "select set_config('lock_timeout', '300ms', true)"


async def keep_outbox_days(tx: Connection) -> bool:
    """Make the partitions of the coming days and drop the old ones; False where the outbox is in use for too long.

    Both need it alone, and all who write queue up behind that wait: so it is a short one, to be tried again.
    """
    try:
        async with tx.transaction():
            await tx.execute(_BRIEFLY)
            await _make_days(tx)
            await _drop_days(tx)
    except asyncpg.LockNotAvailableError:
        return False
    return True


_MISSING_DAYS: Final = """
select 'create table outbox_' || to_char(day, 'YYYYMMDD') || ' partition of outbox for values from ('''
    || day || ''') to (''' || (day + 1) || ''')' as statement
from generate_series(1, $1::int) as ahead, lateral (select current_date + ahead as day) d
where to_regclass('outbox_' || to_char(day, 'YYYYMMDD')) is null
"""


async def _make_days(tx: Connection) -> None:
    """Make the partitions of the coming days; the day that is running was made before, or lies in the default."""
    for row in await tx.fetch(_MISSING_DAYS, AHEAD_DAYS):
        await tx.execute(row["statement"])


_OLD_DAYS: Final = """
select 'drop table ' || c.oid::regclass as statement
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'outbox'::regclass and c.relname ~ '^outbox_[0-9]{8}$'
  and to_date(right(c.relname, 8), 'YYYYMMDD') < least(current_date - $1::int,
      (select at::date from outbox where published_at is null order by at limit 1))
"""


async def _drop_days(tx: Connection) -> None:
    """Drop the partitions that are older than a replay may reach, once everything in them is published."""
    for row in await tx.fetch(_OLD_DAYS, OUTBOX_DAYS):
        await tx.execute(row["statement"])


# The age is a subquery, read once: against a function that may change from row to row no index can be used.
_DELETE_ANSWERS: Final = """
delete from idempotency_keys where ctid in
    (select ctid from idempotency_keys where created_at < (select clock_timestamp() - $1::interval) limit $2)
"""

_DELETE_DELIVERIES: Final = """
delete from deliveries where id in
    (select id from deliveries
     where created_at < (select clock_timestamp() - $1::interval) and state <> 'sending' limit $2)
"""

_DELETE_TRACES: Final = """
delete from deleted_reminders where id in
    (select id from deleted_reminders where deleted_at < (select clock_timestamp() - $1::interval) limit $2)
"""

_DELETE_EVENTS: Final = """
delete from outbox_default where (id, at) in
    (select id, at from outbox_default
     where at < (select clock_timestamp() - $1::interval) and published_at is not null limit $2)
"""


async def delete_old(tx: Connection) -> bool:
    """Delete one batch of each kind; returns whether one of them was full, so that more may be left."""
    tags = [
        await tx.execute(_DELETE_ANSWERS, timedelta(hours=24), BATCH),
        await tx.execute(_DELETE_DELIVERIES, timedelta(days=30), BATCH),
        await tx.execute(_DELETE_TRACES, timedelta(days=30), BATCH),
        await tx.execute(_DELETE_EVENTS, timedelta(days=OUTBOX_DAYS), BATCH),
    ]
    return any(int(tag.rsplit(" ", 1)[-1]) == BATCH for tag in tags)
