"""Campaigns: made, changed, listed; and the number of each one's newest event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from shared.domain.campaign import Campaign, CampaignStatus, CampaignType
from shared.domain.draft import Category
from shared.domain.duration import Duration
from shared.domain.recipient import Channel
from shared.store.database import Connection

COLUMNS: Final = """g.id, g.account_id, g.name, g.type, g.status, g.channel, g.category, g.subject, g.body, g.offsets,
    g.send_at, g.sequence, g.created_at, g.updated_at"""
"""Of `campaigns g`, for `campaign_of`."""


def campaign_of(row: Any) -> Campaign:
    """The campaign in a row with `COLUMNS`; others are passed over."""
    return Campaign(
        id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        type=CampaignType(row["type"]),
        status=CampaignStatus(row["status"]),
        channel=Channel(row["channel"]),
        category=Category(row["category"]),
        subject=row["subject"],
        body=row["body"],
        offsets=tuple(map(Duration.parse, row["offsets"])),
        send_at=row["send_at"],
        sequence=row["sequence"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


_INSERT: Final = """
insert into campaigns (id, account_id, name, type, status, channel, category, subject, body, offsets, send_at,
    sequence, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
"""


async def insert(tx: Connection, campaign: Campaign) -> None:
    """Add a campaign, whose first event the caller appends."""
    await tx.execute(
        _INSERT,
        campaign.id,
        campaign.account_id,
        campaign.name,
        campaign.type.value,
        campaign.status.value,
        campaign.channel.value,
        campaign.category.value,
        campaign.subject,
        campaign.body,
        [offset.text for offset in campaign.offsets],
        campaign.send_at,
        campaign.sequence,
        campaign.created_at,
    )


_GET: Final = f"select {COLUMNS} from campaigns g where g.account_id = $1 and g.id = $2"


async def get(db: Connection, *, account_id: UUID, id: UUID) -> Campaign | None:
    """A campaign as it is at this moment."""
    row = await db.fetchrow(_GET, account_id, id)
    return campaign_of(row) if row else None


_HOLD: Final = f"{_GET} for no key update"


async def hold(tx: Connection, *, account_id: UUID, id: UUID) -> Campaign | None:
    """A campaign, locked: until the end nobody else changes it or enrols in it."""
    row = await tx.fetchrow(_HOLD, account_id, id)
    return campaign_of(row) if row else None


_LIST: Final = f"select {COLUMNS} from campaigns g where g.account_id = $1 order by g.created_at, g.id"


async def list_all(db: Connection, *, account_id: UUID) -> list[Campaign]:
    """Oldest first."""
    return [campaign_of(row) for row in await db.fetch(_LIST, account_id)]


_READ: Final = f"select {COLUMNS} from campaigns g where g.account_id = any($1) and g.id = any($2)"


async def read(db: Connection, *, account_ids: Collection[UUID], ids: Collection[UUID]) -> dict[UUID, Campaign]:
    """Those of these campaigns that still exist."""
    return {row["id"]: campaign_of(row) for row in await db.fetch(_READ, list(account_ids), list(ids))}


_UPDATE: Final = """
update campaigns set name = $3, status = $4, channel = $5, category = $6, subject = $7, body = $8, offsets = $9,
    send_at = $10, updated_at = $11, plan = plan + $12::boolean::int
where account_id = $1 and id = $2
"""


async def update(tx: Connection, campaign: Campaign, *, replans: bool) -> None:
    """Write what may change of a held campaign.

    With `replans` none of its planned sends is claimed or begun before its enrolment is armed anew. That is one row,
    however many are enrolled.
    """
    await tx.execute(
        _UPDATE,
        campaign.account_id,
        campaign.id,
        campaign.name,
        campaign.status.value,
        campaign.channel.value,
        campaign.category.value,
        campaign.subject,
        campaign.body,
        [offset.text for offset in campaign.offsets],
        campaign.send_at,
        campaign.updated_at,
        replans,
    )


_NEXT_SEQUENCE: Final = """
update campaigns set sequence = sequence + 1 where account_id = $1 and id = $2 returning sequence
"""


async def next_sequence(tx: Connection, *, account_id: UUID, id: UUID) -> int:
    """The number of a held campaign's next event."""
    sequence: int = await tx.fetchval(_NEXT_SEQUENCE, account_id, id)
    return sequence
