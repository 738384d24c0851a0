"""Sends that may or may not have been made: listed, and settled once their owner knows what they were (B-263)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.core.policy import Core
from shared.domain.occurrence import State
from shared.domain.parked import Verdict
from shared.domain.refusal import NotFound
from shared.domain.reminder import Status
from shared.runtime.resolving import resolve_by_hand
from shared.store import uncertain as store
from shared.store.database import Connection
from shared.store.uncertain import Parked

__all__ = ["Parked", "ParkedPage", "Resolved", "Verdict", "get_parked", "list_parked", "resolve_parked"]


@dataclass(frozen=True, slots=True)
class ParkedPage:
    found: list[Parked]
    total: int
    """How many there are in all."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a parked send has become."""

    id: UUID
    reminder_id: UUID
    state: State
    reason: str | None
    due_at: datetime | None
    """When it is tried again, where it is."""
    reminder_status: Status


async def list_parked(db: Connection, *, account_id: UUID, limit: int, skip: int) -> ParkedPage:
    """The oldest first."""
    found = await store.page(db, account_id=account_id, limit=limit, skip=skip)
    return ParkedPage(found, await store.count(db, account_id=account_id))


async def get_parked(db: Connection, *, account_id: UUID, id: UUID | None) -> Parked:
    """Raises `NotFound`, also for a send that is in doubt no more."""
    found = await store.get(db, account_id=account_id, id=id) if id is not None else None
    if found is None:
        raise NotFound("message")
    return found


async def resolve_parked(
    tx: Connection, core: Core, *, account_id: UUID, id: UUID | None, verdict: Verdict, message_id: str | None
) -> Resolved:
    """Settle a parked send. Raises `NotFound`, and `Conflict` where it is in doubt no more."""
    if id is None:  # nobody's id
        raise NotFound("message")
    settled = await resolve_by_hand(tx, id, verdict, account_id=account_id, message_id=message_id, fallback=core.policy)
    step = settled.step
    return Resolved(id, settled.case.progress.id, step.state, step.reason, step.due_at, settled.status)
