"""How endpoints are doing, and what that does to them: failing, switched off, switched on again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.domain.endpoint import Disabled, Health
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Patient:
    """An endpoint under lock; `sequence` is the number of its newest event."""

    id: UUID
    account_id: UUID
    sequence: int
    health: Health


_LOCK: Final = """
select id, account_id, sequence, failing_since, exhausted_in_a_row, succeeded_at, disabled_reason from endpoints
where id = any($1)
   or (id = any($2) and (failing_since is not null or exhausted_in_a_row > 0 or succeeded_at is null
                         or succeeded_at < coalesce($3::timestamptz, clock_timestamp()) - interval '1 minute'))
order by id for no key update
"""


async def lock(
    tx: Connection, *, failed: Collection[UUID], succeeded: Collection[UUID], now: datetime | None
) -> dict[UUID, Patient]:
    """Those whose row has to change: all that failed, and those that succeeded where that is news."""
    rows = await tx.fetch(_LOCK, list(failed), list(succeeded), now)
    return {
        row["id"]: Patient(
            row["id"],
            row["account_id"],
            row["sequence"],
            Health(
                row["failing_since"],
                row["exhausted_in_a_row"],
                row["succeeded_at"],
                Disabled(row["disabled_reason"]) if row["disabled_reason"] else None,
            ),
        )
        for row in rows
    }


_SAVE: Final = """
update endpoints e set sequence = s.sequence, failing_since = s.failing_since,
    exhausted_in_a_row = s.exhausted_in_a_row, succeeded_at = s.succeeded_at, disabled_reason = s.disabled_reason,
    status = case when s.disabled_reason is null then 'active' else 'disabled' end,
    disabled_at = case when s.disabled_reason is null then null
                       else coalesce(e.disabled_at, $7::timestamptz, clock_timestamp()) end,
    updated_at = case when s.disabled_reason is null or e.status = 'disabled' then e.updated_at
                      else coalesce($7::timestamptz, clock_timestamp()) end
from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::integer[], $5::timestamptz[], $6::text[])
    as s (id, sequence, failing_since, exhausted_in_a_row, succeeded_at, disabled_reason)
where e.id = s.id
"""


async def save(tx: Connection, patients: Sequence[Patient], *, now: datetime | None) -> None:
    """Write back what `lock` gave, changed."""
    rows = [
        (p.id, p.sequence, h.failing_since, h.exhausted_in_a_row, h.succeeded_at, h.disabled)
        for p in patients
        for h in (p.health,)
    ]
    if rows:
        await tx.execute(_SAVE, *zip(*rows, strict=True), now)


_DISABLE: Final = """
update endpoints set status = 'disabled', disabled_reason = $3, sequence = sequence + 1,
    disabled_at = clock.now, updated_at = clock.now
from (select coalesce($4::timestamptz, clock_timestamp()) as now) clock
where id = $1 and account_id = $2 and status = 'active' returning sequence, disabled_at
"""


async def disable(
    tx: Connection, *, account_id: UUID, id: UUID, reason: Disabled, now: datetime | None
) -> tuple[int, datetime] | None:
    """Switch one off; the sequence and the time of its event, or None where it was off already."""
    row = await tx.fetchrow(_DISABLE, id, account_id, reason.value, now)
    return (row["sequence"], row["disabled_at"]) if row else None


_ENABLE: Final = """
update endpoints set status = 'active', disabled_reason = null, disabled_at = null, failing_since = null,
    exhausted_in_a_row = 0, updated_at = coalesce($3::timestamptz, clock_timestamp())
where id = $1 and account_id = $2 and status = 'disabled' returning id
"""


async def enable(tx: Connection, *, account_id: UUID, id: UUID, now: datetime | None) -> bool:
    """Switch one on with a clean slate; whether it was off."""
    return await tx.fetchval(_ENABLE, id, account_id, now) is not None
