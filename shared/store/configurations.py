"""Configurations: how one agent's reminders are sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.account import CatchUp, Configuration, LateBooking, OnUnknown
from shared.domain.recipient import Channel
from shared.domain.schedule import DstRule, Gap, Overlap
from shared.store.database import Connection

COLUMNS: Final = """c.id, c.account_id as owner_id, c.agent_id, c.configuration_id, c.name, c.channel, c.state,
    c.time_zone, c.grace, c.catch_up, c.on_unknown, c.dst_gap, c.dst_overlap, c.late_booking, c.created_at,
    c.updated_at, exists (select from templates t where t.configuration_id = c.id) as has_templates"""
"""Of `configurations c`, for `configuration_of`."""


def configuration_of(row: Any) -> Configuration:
    """The configuration in a row with `COLUMNS`."""
    return Configuration(
        id=row["id"],
        account_id=row["owner_id"],
        agent_id=row["agent_id"],
        configuration_id=row["configuration_id"],
        name=row["name"],
        channel=Channel(row["channel"]),
        running=row["state"] == "running",
        time_zone=row["time_zone"],
        grace=row["grace"],
        catch_up=CatchUp(row["catch_up"]) if row["catch_up"] else None,
        on_unknown=OnUnknown(row["on_unknown"]) if row["on_unknown"] else None,
        dst=DstRule(Gap(row["dst_gap"] or Gap.FORWARD), Overlap(row["dst_overlap"] or Overlap.FIRST)),
        late_booking=LateBooking(row["late_booking"] or LateBooking.SKIP),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        has_templates=row["has_templates"],
    )


@dataclass(frozen=True, slots=True)
class Details:
    """What an owner may change."""

    name: str
    channel: Channel
    time_zone: str
    grace: timedelta | None = None
    catch_up: CatchUp | None = None
    on_unknown: OnUnknown | None = None
    dst_gap: Gap | None = None
    dst_overlap: Overlap | None = None
    late_booking: LateBooking | None = None


_INSERT: Final = """
insert into configurations (id, account_id, agent_id, configuration_id, name, channel, time_zone, grace, catch_up,
    on_unknown, dst_gap, dst_overlap, late_booking, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
    coalesce($14::timestamptz, clock_timestamp()), coalesce($14::timestamptz, clock_timestamp()))
on conflict on constraint configurations_one_per_name do nothing
returning id
"""


async def insert(
    tx: Connection,
    *,
    account_id: UUID,
    agent_id: str,
    configuration_id: str,
    details: Details,
    now: datetime | None,
) -> UUID | None:
    """Add a configuration and return its row's id; None where the account has one of that name."""
    id: UUID | None = await tx.fetchval(
        _INSERT,
        uuid7(),
        account_id,
        agent_id,
        configuration_id,
        details.name,
        details.channel.value,
        details.time_zone,
        details.grace,
        details.catch_up,
        details.on_unknown,
        details.dst_gap,
        details.dst_overlap,
        details.late_booking,
        now,
    )
    return id


_GET: Final = f"""
select {COLUMNS} from configurations c where c.account_id = $1 and c.agent_id = $2 and c.configuration_id = $3
"""


async def get(db: Connection, *, account_id: UUID, agent_id: str, configuration_id: str) -> Configuration | None:
    """One configuration by its two names."""
    row = await db.fetchrow(_GET, account_id, agent_id, configuration_id)
    return configuration_of(row) if row else None


_GET_BY_ROW: Final = f"select {COLUMNS} from configurations c where c.account_id = $1 and c.id = $2"


async def get_by_row(db: Connection, *, account_id: UUID, id: UUID) -> Configuration | None:
    """One configuration by its row's id."""
    row = await db.fetchrow(_GET_BY_ROW, account_id, id)
    return configuration_of(row) if row else None


_LIST: Final = f"select {COLUMNS} from configurations c where c.account_id = $1 order by c.created_at, c.id"


async def list_all(db: Connection, *, account_id: UUID) -> list[Configuration]:
    """An account's configurations, oldest first."""
    return [configuration_of(row) for row in await db.fetch(_LIST, account_id)]


_UPDATE: Final = """
update configurations set name = $3, channel = $4, time_zone = $5, grace = $6, catch_up = $7, on_unknown = $8,
    dst_gap = $9, dst_overlap = $10, late_booking = $11, updated_at = $12
where account_id = $1 and id = $2
"""


async def update(tx: Connection, *, account_id: UUID, id: UUID, details: Details, now: datetime) -> None:
    """Change what an owner may change."""
    await tx.execute(
        _UPDATE,
        account_id,
        id,
        details.name,
        details.channel.value,
        details.time_zone,
        details.grace,
        details.catch_up,
        details.on_unknown,
        details.dst_gap,
        details.dst_overlap,
        details.late_booking,
        now,
    )


_SET_STATE: Final = """
update configurations set state = $3, updated_at = $4 where account_id = $1 and id = $2 and state <> $3
"""


async def set_state(tx: Connection, *, account_id: UUID, id: UUID, state: str, now: datetime) -> None:
    """`running` or `paused`."""
    await tx.execute(_SET_STATE, account_id, id, state, now)


_LOCK: Final = "select id from configurations where account_id = $1 and id = $2 for update"


async def lock(tx: Connection, *, account_id: UUID, id: UUID) -> None:
    """Hold the row: until the end nobody adds a reminder to it."""
    await tx.execute(_LOCK, account_id, id)


_DELETE: Final = "delete from configurations where account_id = $1 and id = $2"


async def delete(tx: Connection, *, account_id: UUID, id: UUID) -> None:
    """Remove it with its keys, templates and ended reminders."""
    await tx.execute(_DELETE, account_id, id)
