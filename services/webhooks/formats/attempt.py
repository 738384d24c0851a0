"""The flat body `{id, date, status, detail}` of a configuration's webhook URL (C-4): one for each attempt."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.webhooks.format import Facts, Format, Happened
from shared.domain.webhook_body import report

_DETAILS: Final = {
    "message.sent": "Reminder sent",
    "message.attempt_failed": "Send failed",
    "message.failed": "Send failed, no attempt is left",
}


def _render(happened: Happened, facts: Facts, delivery_id: UUID) -> bytes | None:  # noqa: ARG001  a format's shape
    """`id` is the caller's own id of the reminder, `status` the reminder's."""
    detail = _DETAILS.get(happened.envelope.type)
    reminder = facts.reminders.get(happened.event.subject())
    if detail is None or reminder is None:
        return None
    id = reminder.external_id or str(reminder.id)
    return report(id=id, at=happened.envelope.at, status=reminder.status, detail=detail)


ATTEMPT: Final = Format("attempt", _render)
