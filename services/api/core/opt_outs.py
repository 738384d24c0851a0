"""Addresses that must not be written to, at any door: checked whenever something is to be sent (B-267)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.refusal import NotFound
from shared.store import consents as store
from shared.store.consents import OptOut
from shared.store.database import Connection

__all__ = ["OptOut", "OptOutPage", "add_opt_out", "get_opt_out", "list_opt_outs", "remove_opt_out"]


@dataclass(frozen=True, slots=True)
class OptOutPage:
    found: list[OptOut]
    total: int
    """How many there are in all."""


async def add_opt_out(
    tx: Connection, address: str, *, account_id: UUID, source: str, now: datetime
) -> tuple[OptOut, bool]:
    """Write to this E.164 number or e-mail address no more; the opt-out that holds, and whether it is new."""
    new = await store.suppress(tx, address, account_id=account_id, source=source, now=now)
    return await get_opt_out(tx, address, account_id=account_id), new


async def get_opt_out(db: Connection, address: str, *, account_id: UUID) -> OptOut:
    """Raises `NotFound`."""
    found = await store.get(db, address, account_id=account_id)
    if found is None:
        raise NotFound("opt_out")
    return found


async def list_opt_outs(db: Connection, *, account_id: UUID, limit: int, skip: int) -> OptOutPage:
    """The newest first."""
    found = await store.list_all(db, account_id=account_id, limit=limit, skip=skip)
    return OptOutPage(found, await store.count(db, account_id=account_id))


async def remove_opt_out(tx: Connection, address: str, *, account_id: UUID) -> None:
    """The address may be written to again. Raises `NotFound`."""
    if not await store.release(tx, address, account_id=account_id):
        raise NotFound("opt_out")
