"""Campaigns: made, changed, paused, resumed (B-095 to B-098)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.campaign import Campaign, CampaignStatus, faults, may_become, replans
from shared.domain.events import CampaignCreated
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem
from shared.store import campaigns as store
from shared.store import occurrences, outbox
from shared.store.database import Connection
from shared.store.outbox import Recorded


async def create_campaign(tx: Connection, *, account_id: UUID, now: datetime, **given: Any) -> Campaign:
    """A new campaign; `given` are all of its fields but ids, `sequence` and times. Raises `Invalid`."""
    campaign = Campaign(id=uuid7(), account_id=account_id, sequence=1, created_at=now, updated_at=now, **given)
    _check(campaign)
    await store.insert(tx, campaign)
    await outbox.append(tx, [Recorded(CampaignCreated(campaign.id), account_id, now, 1)])
    return campaign


async def get_campaign(db: Connection, *, account_id: UUID, id: UUID) -> Campaign:
    """Raises `NotFound`."""
    return _found(await store.get(db, account_id=account_id, id=id))


async def list_campaigns(db: Connection, *, account_id: UUID) -> list[Campaign]:
    """Oldest first."""
    return await store.list_all(db, account_id=account_id)


async def change_campaign(tx: Connection, *, account_id: UUID, id: UUID, now: datetime, **given: Any) -> Campaign:
    """Change the fields that are `given`; the sends of those enrolled follow within seconds, and wait until then.

    While it is paused nothing of it is sent; on resume the misfire rule decides about what fell due (B-265). Raises
    `NotFound`, `Invalid`, and `Conflict` where its status cannot become the one that is given.
    """
    held = _found(await store.hold(tx, account_id=account_id, id=id))
    if given.get("type", held.type) is not held.type:
        raise Invalid([Problem("type", "cannot be changed; make another campaign")])
    changed = replace(held, **given)
    _check(changed)
    if not may_become(held.status, changed.status):
        raise Conflict(
            f"campaign_{held.status}",
            f"a {held.status} campaign cannot become {changed.status}",
            {"status": held.status},
        )
    if changed == held:
        return held
    changed = replace(changed, updated_at=now)
    await store.update(tx, changed, replans=replans(held, changed))
    if changed.status is CampaignStatus.RUNNING and held.status is not changed.status:
        await occurrences.ring(tx)
    return changed


def _check(campaign: Campaign) -> None:
    problems = [Problem(field, reason) for field, reason in faults(campaign)]
    if problems:
        raise Invalid(problems)


def _found(campaign: Campaign | None) -> Campaign:
    if campaign is None:
        raise NotFound("campaign")
    return campaign
