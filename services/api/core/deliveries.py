"""Deliveries as their owner sees them: try an endpoint, look, replay (B-154, B-165)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.core.endpoints import get_endpoint
from shared.domain.endpoint import DeliveryState
from shared.domain.refusal import Conflict, NotFound
from shared.domain.webhook_body import TEST_EVENT, test_body
from shared.store import backfills, deliveries
from shared.store import delivery_log as store
from shared.store.backfills import Standing as Backfill
from shared.store.database import Connection
from shared.store.deliveries import NewDelivery
from shared.store.delivery_log import Attempt, Delivery

__all__ = ["Attempt", "Backfill", "Delivery", "DeliveryState", "Page", "Replayed"]

REPLAYED_AT_ONCE: Final = 5000
"""Deliveries that one request starts over."""


@dataclass(frozen=True, slots=True)
class Page:
    found: list[Delivery]
    total: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of a time range set off."""

    deliveries: int
    """How many were started over."""
    more: bool
    """Whether there may be others: the same request again takes the next ones."""
    backfill_id: UUID
    """Events of the range that the endpoint never got are made into deliveries under this id."""


async def send_test(tx: Connection, *, account_id: UUID, endpoint_id: UUID, now: datetime) -> Delivery:
    """Owe the endpoint a test event, now. Raises `NotFound`, and `Conflict` where the endpoint is off."""
    endpoint = await get_endpoint(tx, account_id=account_id, id=endpoint_id)
    if endpoint.status != "active":
        raise Conflict("endpoint_disabled", "the endpoint is off; enable it first")
    id, event_id = uuid7(), uuid7()
    body = test_body(endpoint.format, id=id, at=now, endpoint_id=endpoint_id)
    made = NewDelivery(id, account_id, endpoint_id, event_id, TEST_EVENT, endpoint_id, body)
    await deliveries.insert(tx, [made], now=now)
    return await _get(tx, account_id, endpoint_id, id)


async def list_deliveries(
    db: Connection, *, account_id: UUID, endpoint_id: UUID, states: Sequence[str] | None, limit: int, offset: int
) -> Page:
    """Newest first. Raises `NotFound` for the endpoint."""
    await get_endpoint(db, account_id=account_id, id=endpoint_id)
    total = await store.count(db, account_id=account_id, endpoint_id=endpoint_id, states=states)
    found = await store.list_(
        db, account_id=account_id, endpoint_id=endpoint_id, states=states, limit=limit, offset=offset
    )
    return Page(found, total)


async def get_delivery(
    db: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID
) -> tuple[Delivery, list[Attempt]]:
    """One with its attempts. Raises `NotFound`."""
    await get_endpoint(db, account_id=account_id, id=endpoint_id)
    delivery = await _get(db, account_id, endpoint_id, id)
    return delivery, await store.attempts(db, account_id=account_id, delivery_id=id)


async def replay_delivery(tx: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID, now: datetime) -> Delivery:
    """Send one again with its old id (B-156). Raises `NotFound`, and `Conflict` while a POST is under way."""
    await get_endpoint(tx, account_id=account_id, id=endpoint_id)
    await _get(tx, account_id, endpoint_id, id)
    replayed = await store.replay(tx, account_id=account_id, endpoint_id=endpoint_id, id=id, now=now)
    if replayed is None:
        raise Conflict("delivery_under_way", "an attempt is under way; ask again when it has ended")
    return replayed


async def replay_range(
    tx: Connection,
    *,
    account_id: UUID,
    endpoint_id: UUID,
    start: datetime,
    end: datetime | None,
    states: Collection[DeliveryState],
    event_types: Sequence[str] | None,
    now: datetime,
) -> Replayed:
    """Start the deliveries of a time range over, and make those that are missing from the events of 7 days.

    Raises `NotFound`.
    """
    await get_endpoint(tx, account_id=account_id, id=endpoint_id)
    count = await store.replay_many(
        tx,
        account_id=account_id,
        endpoint_id=endpoint_id,
        states=[state.value for state in states],
        start=start,
        end=end,
        types=event_types,
        limit=REPLAYED_AT_ONCE,
        now=now,
    )
    backfill_id = uuid7()
    await backfills.insert(
        tx, id=backfill_id, account_id=account_id, endpoint_id=endpoint_id, start=start, end=end, now=now
    )
    return Replayed(count, count == REPLAYED_AT_ONCE, backfill_id)


async def get_backfill(db: Connection, *, account_id: UUID, endpoint_id: UUID, id: UUID) -> Backfill:
    """How far a replay's missing deliveries have come. Raises `NotFound`."""
    await get_endpoint(db, account_id=account_id, id=endpoint_id)
    backfill = await backfills.get(db, account_id=account_id, endpoint_id=endpoint_id, id=id)
    if backfill is None:
        raise NotFound("backfill")
    return backfill


async def _get(db: Connection, account_id: UUID, endpoint_id: UUID, id: UUID) -> Delivery:
    delivery = await store.get(db, account_id=account_id, endpoint_id=endpoint_id, id=id)
    if delivery is None:
        raise NotFound("delivery")
    return delivery
