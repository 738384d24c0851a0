"""Sends in doubt, of every account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.admin.output import Row
from services.admin.work.database import admin_settings, in_transaction
from shared.domain.parked import Verdict
from shared.domain.refusal import Invalid, Problem
from shared.runtime.resolving import resolve_by_hand
from shared.store import uncertain as store
from shared.store.database import Connection
from shared.store.uncertain import Parked


def list_all(account_id: UUID | None, *, limit: int) -> list[Row]:
    """The oldest of one account, or of all."""

    async def work(tx: Connection, _: datetime) -> list[Row]:
        return [_row(parked) for parked in await store.oldest(tx, account_id=account_id, limit=limit)]

    return in_transaction(work)


def resolve(message: UUID, outcome: str, *, message_id: str | None) -> Row:
    """What became of it. Raises `NotFound`, `Conflict`, `Invalid`."""
    verdict = Verdict(outcome)
    if message_id is not None and verdict is not Verdict.SENT:
        raise Invalid([Problem("message-id", "belongs to the outcome sent alone")])
    fallback = admin_settings().policy()

    async def work(tx: Connection, _: datetime) -> Row:
        settled = await resolve_by_hand(tx, message, verdict, account_id=None, message_id=message_id, fallback=fallback)
        return {
            "id": str(message),
            "status": settled.step.state.value,
            "reason": settled.step.reason,
            "next_attempt_at": _time(settled.step.due_at),
            "reminder_status": settled.status.value,
        }

    return in_transaction(work)


def _row(parked: Parked) -> Row:
    return {
        "id": str(parked.id),
        "account_id": str(parked.account_id),
        "reminder_id": str(parked.reminder_id),
        "external_id": parked.external_id,
        "channel": parked.channel,
        "provider": parked.provider,
        "attempt": parked.attempt,
        "started_at": _time(parked.started_at),
        "parked_at": _time(parked.parked_at),
        "reason": parked.reason,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at is not None else None
