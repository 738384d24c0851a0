"""The body of a delivery: the envelope of B-155, rendered once and sent unchanged ever after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

API_VERSION: Final = "2026-03-25"

TEST_EVENT: Final = "endpoint.test"
"""The type of the event that an owner sends to try an endpoint; not in the catalogue, so never subscribed to."""


def envelope(*, id: UUID, type: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """`id` is the delivery's, the same on every retry and replay (B-156); `at` is when the event happened."""
    body = {"id": id, "type": type, "created_at": instant(at), "api_version": API_VERSION, "data": data}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, and a fraction only where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
