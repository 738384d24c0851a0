"""SMS segments of one-time messages against an account's monthly quota (B-143). Months are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection

_TAKE: Final = """
with month as (select date_trunc('month', $3::timestamptz at time zone 'UTC')::date as first),
     allowed as (select quota from accounts where id = $1)
insert into quota_use as used (account_id, month, segments)
select $1, first, $2 from month, allowed where quota is null or $2 <= quota
on conflict (account_id, month) do update set segments = used.segments + excluded.segments
where (select quota from allowed) is null or used.segments + excluded.segments <= (select quota from allowed)
returning segments
"""


async def take(tx: Connection, segments: int, *, account_id: UUID, now: datetime) -> bool:
    """Count `segments` against the quota of the month of `now`; False, and nothing counted, where they exceed it."""
    return await tx.fetchval(_TAKE, account_id, segments, now) is not None


_GIVE_BACK: Final = """
with unsent as materialized (
    select id, account_id, quota_month, segments from reminders
    where id = any($1) and segments is not null order by id for update),
forgotten as (
    update reminders r set segments = null, quota_month = null from unsent where r.id = unsent.id)
update quota_use used set segments = greatest(used.segments - given.segments, 0)
from (select account_id, quota_month, sum(segments)::int as segments from unsent group by 1, 2) given
where used.account_id = given.account_id and used.month = given.quota_month
"""


async def give_back(tx: Connection, reminder_ids: Sequence[UUID]) -> None:
    """Return what these locked reminders took: nothing of them was sent."""
    await tx.execute(_GIVE_BACK, list(reminder_ids))
