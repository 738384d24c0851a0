"""Wire to domain and back. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.api.dialects.items import wire
from shared.domain.draft import Draft, Reminder, draft_of
from shared.domain.recipient import BadPhone, Phone, phone
from shared.domain.refusal import Invalid, Problem
from shared.domain.reminder import CancelOutcome, HistoryEntry
from shared.domain.schedule import BadTime, Times, instant, zone

FIELDS = {
    "external_id": "id",
    "agent_id": "agentId",
    "configuration_id": "configurationId",
    "template_name": "notificationTemplateName",
    "parameters": "templateParameters",
    "phone_number": "phoneNumber",
    "country_code": "countryCode",
    "time_zone": "timezone",
}
"""How this dialect calls what the core names otherwise."""


def to_draft(body: wire.NewReminder, *, external_id: str, default_zone: str) -> Draft:
    """What the body asks for; `default_zone` reads naive times where the body names none. Raises `Invalid`."""
    time_zone = body.timezone or default_zone
    return Draft(
        external_id=external_id,
        country_code=body.country_code,
        phone_number=body.phone_number,
        phone=_phone(body.country_code, body.phone_number),
        recipient_name=body.recipient_name,
        template_name=body.notification_template_name,
        parameters=tuple(body.template_parameters),
        send_times=tuple(body.send_times),
        time_zone=time_zone,
        times=to_times(body.send_times, zone(time_zone)),
    )


def to_changed_draft(body: wire.ItemUpdate, reminder: Reminder) -> Draft:
    """The kept reminder with what the body gives (B-069). Raises `Invalid`."""
    kept, given = draft_of(reminder), body.given
    country_code = body.country_code if "country_code" in given else kept.country_code
    phone_number = body.phone_number if "phone_number" in given else kept.phone_number
    to_another = given & {"country_code", "phone_number"}
    send_times = tuple(body.send_times) if "send_times" in given else kept.send_times
    time_zone = body.timezone if "timezone" in given else kept.time_zone
    return Draft(
        external_id=kept.external_id,
        country_code=country_code,
        phone_number=phone_number,
        phone=_phone(country_code, phone_number) if to_another else kept.phone,
        recipient_name=body.recipient_name if "recipient_name" in given else kept.recipient_name,
        template_name=body.notification_template_name if "notification_template_name" in given else kept.template_name,
        parameters=tuple(body.template_parameters) if "template_parameters" in given else kept.parameters,
        send_times=send_times,
        time_zone=time_zone,
        times=to_times(send_times, zone(time_zone)),
    )


def _phone(country_code: str, phone_number: str) -> Phone:
    try:
        return phone(country_code, phone_number)
    except BadPhone as error:
        raise Invalid([Problem(error.field, str(error))]) from None


def to_times(send_times: tuple[str, ...], in_zone: ZoneInfo) -> Times:
    """The instants, ascending and without repeats (B-028). Raises `Invalid`."""
    instants: list[datetime] = []
    problems: list[Problem] = []
    for place, text in enumerate(send_times):
        try:
            instants.append(instant(text, in_zone))
        except BadTime as error:
            problems.append(Problem(f"sendTimes.{place}", str(error)))
    if problems:
        raise Invalid(problems)
    return Times.of(instants)


def to_item(
    reminder: Reminder, history: Sequence[HistoryEntry], outcome: CancelOutcome | None = None
) -> dict[str, Any]:
    """The item as a caller reads it: the documented fields, then ours (B-044, B-059)."""
    item: dict[str, Any] = {
        "id": reminder.external_id,
        "countryCode": reminder.country_code,
        "phoneNumber": reminder.phone_number,
        "recipientName": reminder.recipient_name,
        "notificationTemplateName": reminder.template_name,
        "templateParameters": reminder.parameters,
        "sendTimes": reminder.send_times,
        "timezone": reminder.time_zone,
        "status": reminder.status,
        "nextSendTime": utc(reminder.next_send_at),
        "lastSendTime": utc(reminder.last_send_at),
        "lastAttempts": reminder.last_attempts,
        "history": [to_entry(entry) for entry in history],
        "deliveredCount": reminder.sent,
        "skippedCount": reminder.skipped,
    }
    if outcome is not None:
        item["cancelOutcome"] = outcome
    return item


def to_entry(entry: HistoryEntry) -> dict[str, Any]:
    return {"date": utc(entry.at), "action": entry.action, "detail": entry.detail, "status": entry.status}


def utc(moment: datetime | None) -> str | None:
    """`2025-05-29T01:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
