"""What keeps deliveries in order around the sending: rescue, hold and resume, and forgetting."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.store.database import Connection

RESPONSES_KEPT_FOR: Final = timedelta(days=7)
"""How long the text that an endpoint answered is kept; the delivery itself is `retention`'s."""

_RESCUE: Final = """
with lost as materialized (
    select d.id, e.status from deliveries d join endpoints e on e.id = d.endpoint_id
    where d.state = 'sending' and d.lease_until < (select coalesce($1::timestamptz, clock_timestamp()))
    order by d.id for update of d skip locked)
update deliveries d set state = case lost.status when 'active' then 'pending' else 'held' end,
    attempt = d.attempt - 1, attempt_id = null, lease_until = null
from lost where d.id = lost.id
returning d.id
"""


async def rescue(tx: Connection, *, now: datetime | None = None) -> int:
    """Give back what a dead worker held. Its attempt keeps its number: nobody knows whether it arrived.

    What is just being recorded is skipped: it waits for nobody, so that none can deadlock it.
    """
    return len(await tx.fetch(_RESCUE, now))


_HOLD: Final = """
update deliveries set state = 'held' where id in (
    select id from deliveries where endpoint_id = any($1) and state = 'pending' limit $2 for update skip locked)
"""


async def hold(tx: Connection, endpoint_ids: Collection[UUID], *, limit: int) -> None:
    """Hold up to `limit` pending deliveries of endpoints that are off; `sweep` finds the rest."""
    await tx.execute(_HOLD, list(endpoint_ids), limit)


_RESUME: Final = """
update deliveries set state = 'pending' where id in (
    select id from deliveries where endpoint_id = $1 and state = 'held' limit $2 for update skip locked)
"""


async def resume(tx: Connection, endpoint_id: UUID, *, limit: int) -> None:
    """Make up to `limit` held deliveries of an endpoint that is on pending again; each keeps its due time."""
    await tx.execute(_RESUME, endpoint_id, limit)


_HOLD_REST: Final = """
update deliveries set state = 'held' where id in (
    select d.id from endpoints e join deliveries d on d.endpoint_id = e.id and d.state = 'pending'
    where e.status = 'disabled' limit $1 for update of d skip locked)
returning id
"""

_RESUME_REST: Final = """
update deliveries set state = 'pending' where id in (
    select d.id from deliveries d join endpoints e on e.id = d.endpoint_id and e.status = 'active'
    where d.state = 'held' limit $1 for update of d skip locked)
returning id
"""


async def sweep(tx: Connection, *, limit: int) -> int:
    """Bring up to `limit` deliveries each way in line with their endpoints; returns how many changed."""
    held = await tx.fetch(_HOLD_REST, limit)
    return len(held) + len(await tx.fetch(_RESUME_REST, limit))


_FORGET_RESPONSES: Final = """
update delivery_attempts set response = null where id in (
    select id from delivery_attempts
    where response is not null and started_at < (select coalesce($1::timestamptz, clock_timestamp()) - $2::interval)
    limit $3 for update skip locked)
returning id
"""


async def forget_responses(tx: Connection, *, limit: int, now: datetime | None = None) -> int:
    """Blank up to `limit` answers that are old enough; returns how many."""
    return len(await tx.fetch(_FORGET_RESPONSES, now, RESPONSES_KEPT_FOR, limit))
