"""Core values ⇄ the wire, purely."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import orjson

from services.api.core.deliveries import Attempt, Backfill, Delivery, DeliveryState, Replayed
from services.api.core.endpoints import Disabled, Endpoint
from services.api.dialects.campaigns import webhook_answers as answers
from shared.domain.schedule import instant

_OPEN = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


def to_instant(text: str) -> datetime:
    """A moment that the wire has checked."""
    return instant(text, ZoneInfo("UTC"))


def to_endpoint(endpoint: Endpoint) -> answers.EndpointBody:
    """Without its secrets."""
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "target_url": endpoint.target_url,
        "source": endpoint.source,
        "status": "active" if endpoint.status == "active" else "disabled",
        "event_types": endpoint.event_types,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "format": endpoint.format,
        "rotation": endpoint.rotation,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": Disabled(endpoint.disabled_reason) if endpoint.disabled_reason else None,
    }


def to_delivery(delivery: Delivery) -> answers.DeliveryBody:
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "subject_id": delivery.subject,
        "state": DeliveryState(delivery.state),
        "attempts": delivery.attempt,
        "next_attempt_at": delivery.due_at if delivery.state in _OPEN else None,
        "created_at": delivery.created_at,
        "ended_at": delivery.ended_at,
    }


def to_whole_delivery(delivery: Delivery, attempts: list[Attempt]) -> answers.WholeDeliveryBody:
    return {
        **to_delivery(delivery),
        "payload": orjson.loads(delivery.body),
        "attempt_log": [to_attempt(attempt) for attempt in attempts],
    }


def to_attempt(attempt: Attempt) -> answers.DeliveryAttemptBody:
    return {
        "number": attempt.number,
        "started_at": attempt.started_at,
        "duration_ms": round(attempt.duration.total_seconds() * 1000),
        "status_code": attempt.status_code,
        "error": attempt.error,
        "response": attempt.response,
    }


def to_replayed(replayed: Replayed) -> answers.ReplayOfRange:
    return {
        "success": True,
        "replayed": replayed.deliveries,
        "more": replayed.more,
        "backfill": {"id": replayed.backfill_id, "status": "running"},
    }


def to_backfill(backfill: Backfill) -> answers.BackfillBody:
    return {
        "id": backfill.id,
        "endpoint_id": backfill.endpoint_id,
        "status": "running" if backfill.ended_at is None else "done",
        "deliveries": backfill.deliveries,
        "created_at": backfill.created_at,
        "ended_at": backfill.ended_at,
    }
