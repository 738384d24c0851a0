"""The three lags that tell the whole story, what is parked, and when the schedule was last proved whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Lags:
    """Seconds; 0 where nothing waits."""

    oldest_due_occurrence: float
    oldest_unpublished_event: float
    oldest_due_delivery: float
    uncertain: dict[str, int]
    """Parked sends by provider."""
    last_pass: float
    """Since the sentinel's last full pass."""


_LAGS: Final = """
select
    greatest(0, extract(epoch from clock_timestamp()
        - (select min(due_at) from occurrences where state = 'scheduled')))::float8 as oldest_due_occurrence,
    greatest(0, extract(epoch from clock_timestamp()
        - (select min(at) from outbox where published_at is null)))::float8 as oldest_unpublished_event,
    greatest(0, extract(epoch from clock_timestamp()
        - (select min(first.due_at) from endpoints e cross join lateral (
               select d.due_at from deliveries d where d.endpoint_id = e.id and d.state = 'pending'
               order by d.due_at limit 1) first)))::float8 as oldest_due_delivery,
    (select coalesce(jsonb_object_agg(parked.provider, parked.count), '{}') from (
        select coalesce(provider, '') as provider, count(*) from occurrences where state = 'uncertain' group by 1
    ) parked) as uncertain,
    (select extract(epoch from clock_timestamp() - coalesce(ended_at, began_at))::float8
     from schedule_watch) as last_pass
"""


async def lags(db: Connection) -> Lags:
    """What waits, and for how long."""
    row = await db.fetchrow(_LAGS)
    return Lags(**{name: value or 0 for name, value in row.items()} | {"uncertain": row["uncertain"]})
