"""Bodies that are valid by default: a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.domain.account import DEFAULT_NAME, Configuration, LateBooking
from shared.domain.recipient import Channel
from shared.domain.schedule import DEFAULT_DST


def in_future(**delta: float) -> str:
    """A moment so far from now, as a caller would write it."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def a_reminder(**changes: Any) -> dict[str, Any]:
    """A body for the integration door, two hours ahead."""
    body = {
        "countryCode": "+62",
        "phoneNumber": "81234567890",
        "recipientName": "Ani Wijaya",
        "notificationTemplateName": "loan_payment_reminder",
        "templateParameters": ["Rp 1.500.000", "31 Mei 2025"],
        "sendTimes": [in_future(hours=2)],
        "timezone": "Asia/Jakarta",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def an_item(id: str = "item-1", **changes: Any) -> dict[str, Any]:
    """A body for the items door."""
    return {"id": id, **a_reminder(**changes)}


def a_configuration(**changes: Any) -> Configuration:
    """An account's default configuration, as it is kept."""
    now = datetime.now(UTC)
    kept = Configuration(
        id=uuid4(),
        account_id=uuid4(),
        agent_id=DEFAULT_NAME,
        configuration_id=DEFAULT_NAME,
        name=DEFAULT_NAME,
        channel=Channel.SMS,
        running=True,
        time_zone="UTC",
        grace=None,
        catch_up=None,
        on_unknown=None,
        dst=DEFAULT_DST,
        late_booking=LateBooking.SKIP,
        created_at=now,
        updated_at=now,
        has_templates=False,
    )
    return replace(kept, **changes)
