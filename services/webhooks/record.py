"""What follows from POSTs that ended, in one transaction: deliveries move on, endpoints fail or recover, events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from shared.domain.endpoint import OPERATOR_EVENTS, DeliveryState
from shared.domain.events import DeliveryExhausted, EndpointDisabled, Event
from shared.store import deliveries, delivery_upkeep, endpoint_health, outbox
from shared.store.database import Database
from shared.store.deliveries import Attempted
from shared.store.endpoint_health import Patient
from shared.store.outbox import Recorded

log = structlog.get_logger()

HOLD_AT_ONCE: Final = 1000
"""Deliveries that are held in the transaction that switches an endpoint off; the upkeep does the rest."""


async def record(db: Database, attempts: Sequence[Attempted], *, now: datetime | None = None) -> bool:
    """Write the attempts down; safe to repeat. Returns whether events were written.

    Only attempts that still hold their delivery count for its endpoint: a worker that was too late adds a line
    to the log and nothing else.
    """
    failed = {a.claimed.endpoint_id for a in attempts if not a.answer.delivered}
    succeeded = {a.claimed.endpoint_id for a in attempts} - failed
    async with db.transaction() as tx:
        patients = await endpoint_health.lock(tx, failed=failed, succeeded=succeeded, now=now)
        moved = await deliveries.settle(tx, attempts)
        await deliveries.add_attempts(tx, attempts)
        events: list[Recorded] = []
        treated = [
            _treat(patient, [a for a in attempts if a.claimed.id in moved and a.claimed.endpoint_id == id], events)
            for id, patient in patients.items()
        ]
        await endpoint_health.save(tx, treated, now=now)
        off = [patient.id for patient in treated if patient.health.disabled is not None]
        if off:
            await delivery_upkeep.hold(tx, off, limit=HOLD_AT_ONCE)
        await outbox.append(tx, events)
    _log(attempts, events)
    return bool(events)


def _log(attempts: Sequence[Attempted], events: Sequence[Recorded]) -> None:
    """What an operator looks for, ids alone: each failed attempt, and each endpoint that was switched off."""
    for attempt in attempts:
        if not attempt.answer.delivered:
            log.warning(
                "webhook_attempt_failed",
                endpoint_id=str(attempt.claimed.endpoint_id),
                delivery_id=str(attempt.claimed.id),
                attempt=attempt.claimed.attempt,
                status=attempt.answer.status,
                error=attempt.answer.error,
                next_at=attempt.next.due_at.isoformat() if attempt.next.state is DeliveryState.PENDING else None,
            )
    for recorded in events:
        match recorded.event:
            case EndpointDisabled(endpoint_id=id, reason=reason):
                log.warning("endpoint_disabled", endpoint_id=str(id), reason=str(reason))
            case DeliveryExhausted(endpoint_id=id, delivery_id=delivery):
                log.warning("delivery_exhausted", endpoint_id=str(id), delivery_id=str(delivery))


def _treat(patient: Patient, attempts: Sequence[Attempted], events: list[Recorded]) -> Patient:
    """The endpoint after these attempts, oldest first; adds what happened to `events`."""
    for attempt in sorted(attempts, key=_ended_at):
        health = patient.health.after(attempt.answer, attempt.next.state, at=_ended_at(attempt))
        happened: list[Event] = []
        if attempt.next.state is DeliveryState.EXHAUSTED and attempt.claimed.event_type not in OPERATOR_EVENTS:
            happened.append(_exhausted(patient.id, attempt))
        if health.disabled is not None and patient.health.disabled is None:
            happened.append(EndpointDisabled(endpoint_id=patient.id, reason=health.disabled))
        for event in happened:
            patient = replace(patient, sequence=patient.sequence + 1)
            events.append(Recorded(event, patient.account_id, _ended_at(attempt), patient.sequence))
        patient = replace(patient, health=health)
    return patient


def _ended_at(attempt: Attempted) -> datetime:
    return attempt.started_at + attempt.duration


def _exhausted(endpoint_id: UUID, attempt: Attempted) -> DeliveryExhausted:
    claimed = attempt.claimed
    return DeliveryExhausted(
        endpoint_id=endpoint_id,
        delivery_id=claimed.id,
        event_id=claimed.event_id,
        event_type=claimed.event_type,
    )
