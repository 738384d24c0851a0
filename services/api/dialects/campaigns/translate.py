"""Core values ⇄ the wire, purely."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.api.core.deliveries import Attempt, Backfill, Delivery, DeliveryState, Replayed
from services.api.core.endpoints import Endpoint
from shared.domain.schedule import instant

_OPEN = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


def to_instant(text: str) -> datetime:
    """A moment that the wire has checked."""
    return instant(text, ZoneInfo("UTC"))


def to_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Without any secret, ever (B-148). What stands after `updated_at` is an addition of ours."""
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "target_url": endpoint.target_url,
        "source": endpoint.source,
        "status": endpoint.status,
        "event_types": endpoint.event_types,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "format": endpoint.format,
        "rotation": endpoint.rotation,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
    }


def to_delivery(delivery: Delivery) -> dict[str, Any]:
    """`attempts` counts those of the present ladder; a replay begins a new one."""
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "subject_id": delivery.subject,
        "state": delivery.state,
        "attempts": delivery.attempt,
        "next_attempt_at": delivery.due_at if delivery.state in _OPEN else None,
        "created_at": delivery.created_at,
        "ended_at": delivery.ended_at,
    }


def to_whole_delivery(delivery: Delivery, attempts: list[Attempt]) -> dict[str, Any]:
    """With its body as it is sent, and every attempt."""
    return {
        **to_delivery(delivery),
        "payload": orjson.loads(delivery.body),
        "attempt_log": [
            {
                "number": attempt.number,
                "started_at": attempt.started_at,
                "duration_ms": round(attempt.duration.total_seconds() * 1000),
                "status_code": attempt.status_code,
                "error": attempt.error,
                "response": attempt.response,
            }
            for attempt in attempts
        ],
    }


def to_replayed(replayed: Replayed) -> dict[str, Any]:
    """What a replay of a range set off."""
    return {
        "replayed": replayed.deliveries,
        "more": replayed.more,
        "backfill": {"id": replayed.backfill_id, "status": "running"},
    }


def to_backfill(backfill: Backfill) -> dict[str, Any]:
    """The second half of a replay: deliveries of events that the endpoint never got."""
    return {
        "id": backfill.id,
        "endpoint_id": backfill.endpoint_id,
        "status": "running" if backfill.ended_at is None else "done",
        "deliveries": backfill.deliveries,
        "created_at": backfill.created_at,
        "ended_at": backfill.ended_at,
    }
