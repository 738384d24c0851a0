"""The flat body `{id, date, status, detail}` of a configuration's webhook URL (C-4): one for each attempt and for each
send time that was missed.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.webhooks.format import Facts, Format, Happened
from shared.domain.events import (
    Event,
    MessageAttemptFailed,
    MessageFailed,
    MessageSent,
    MessageSkipped,
    MessageUncertain,
)
from shared.domain.settlement import BARS
from shared.domain.webhook_body import report

_EXPIRED: Final = "expired: "
"""How `shared.domain.settlement` begins the reason of a time that ended without a try."""


def _render(happened: Happened, facts: Facts, delivery_id: UUID) -> bytes | None:  # noqa: ARG001  a format's shape
    """`id` is the caller's own id of the reminder, `status` the reminder's."""
    detail = _detail(happened.event)
    reminder = facts.reminders.get(happened.event.subject())
    if detail is None or reminder is None:
        return None
    id = reminder.external_id or str(reminder.id)
    return report(id=id, at=happened.envelope.at, status=reminder.status, detail=detail)


def _detail(event: Event) -> str | None:
    """None for `message.failed` after an attempt: its own event has told of it."""
    match event:
        case MessageSent():
            return "Reminder sent"
        case MessageAttemptFailed(retry_at=None):
            return "Send failed, no attempt is left"
        case MessageAttemptFailed():
            return "Send failed"
        case MessageUncertain():
            return "Send unconfirmed, the message may have been sent"
        case MessageSkipped(reason=reason):
            return f"Send time missed, nothing was sent: {reason}"
        case MessageFailed(reason=reason) if reason in BARS:
            return f"Send time missed, nothing was sent: {reason}"
        case MessageFailed(reason=reason) if reason.startswith(_EXPIRED):
            return f"Send time missed, nothing was sent: {reason.removeprefix(_EXPIRED)}"
        case _:
            return None


ATTEMPT: Final = Format("attempt", _render)
