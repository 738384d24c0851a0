"""The two bodies of a delivery, rendered once and sent unchanged ever after: the envelope, and the flat report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

REPORTED: Final = (
    "message.sent",
    "message.attempt_failed",
    "message.uncertain",
    "message.skipped",
    "message.failed",
)
"""The events that a flat report may tell of: those of attempts, and of send times that were missed."""

API_VERSION: Final = "2026-03-25"

TEST_EVENT: Final = "endpoint.test"
"""The type of the event that an owner sends to try an endpoint; not in the catalogue, so never subscribed to."""


def envelope(*, id: UUID, type: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """`id` is the delivery's, the same on every retry and replay (B-156); `at` is when the event happened."""
    body = {"id": id, "type": type, "created_at": instant(at), "api_version": API_VERSION, "data": data}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def report(*, id: str, at: datetime, status: str, detail: str) -> bytes:
    """The flat body of a configuration's webhook URL (C-4): `id` is the caller's own, of a reminder."""
    return orjson.dumps({"id": id, "date": instant(at), "status": status, "detail": detail})


def test_body(format: str, *, id: UUID, at: datetime, endpoint_id: UUID) -> bytes:
    """What an owner who tries an endpoint gets, in that endpoint's format."""
    if format == "attempt":
        return report(id="test", at=at, status="active", detail="Test")
    data = {"endpoint_id": endpoint_id, "message": "This is a test; nothing happened."}
    return envelope(id=id, type=TEST_EVENT, at=at, data=data)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, and a fraction only where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
