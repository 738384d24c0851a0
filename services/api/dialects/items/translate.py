"""Wire to domain and back. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.api.dialects.items import answers, wire
from shared.domain.account import Configuration
from shared.domain.draft import Draft, Reminder, draft_of
from shared.domain.recipient import BadPhone, Phone, phone
from shared.domain.refusal import Invalid, Problem
from shared.domain.reminder import CancelOutcome, HistoryEntry
from shared.domain.schedule import BadTime, DstRule, Times, instant, zone

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


def to_draft(body: wire.NewReminder, configuration: Configuration, *, external_id: str) -> Draft:
    """What the body asks for; the configuration's zone reads naive times where it names none. Raises `Invalid`."""
    time_zone = body.timezone or configuration.time_zone
    number = _phone(body.country_code, body.phone_number)
    return Draft(
        external_id=external_id,
        channel=configuration.channel,
        address=number.e164,
        country_code=body.country_code,
        phone_number=body.phone_number,
        national_digits=number.national,
        recipient_name=body.recipient_name,
        template_name=body.notification_template_name,
        parameters=tuple(body.template_parameters),
        schedule=to_times(body.send_times, zone(time_zone), configuration.dst),
        time_zone=time_zone,
    )


def to_changed_draft(body: wire.ItemUpdate, reminder: Reminder, dst: DstRule) -> Draft:
    """The kept reminder with what the body gives (B-069). Raises `Invalid`."""
    kept, given = draft_of(reminder), body.given
    country_code = body.country_code if "country_code" in given else kept.country_code
    phone_number = body.phone_number if "phone_number" in given else kept.phone_number
    number = Phone(kept.address, kept.national_digits or "")
    if given & {"country_code", "phone_number"}:
        number = _phone(country_code or "", phone_number or "")
    time_zone = body.timezone if "timezone" in given else kept.time_zone
    schedule = kept.schedule
    if given & {"send_times", "timezone"}:
        send_times = body.send_times if "send_times" in given else reminder.send_times
        schedule = to_times(send_times, zone(time_zone), dst)
    return replace(
        kept,
        address=number.e164,
        country_code=country_code,
        phone_number=phone_number,
        national_digits=number.national,
        recipient_name=body.recipient_name if "recipient_name" in given else kept.recipient_name,
        template_name=body.notification_template_name if "notification_template_name" in given else kept.template_name,
        parameters=tuple(body.template_parameters) if "template_parameters" in given else kept.parameters,
        schedule=schedule,
        time_zone=time_zone,
    )


def _phone(country_code: str, phone_number: str) -> Phone:
    try:
        return phone(country_code, phone_number)
    except BadPhone as error:
        raise Invalid([Problem(error.field, str(error))]) from None


def to_times(send_times: Sequence[str], in_zone: ZoneInfo, dst: DstRule) -> Times:
    """The instants, ascending and without repeats (B-028). Raises `Invalid`."""
    instants: list[datetime] = []
    problems: list[Problem] = []
    for place, text in enumerate(send_times):
        try:
            instants.append(instant(text, in_zone, dst))
        except BadTime as error:
            problems.append(Problem(f"sendTimes.{place}", str(error)))
    if problems:
        raise Invalid(problems)
    return Times.of(instants, texts=tuple(send_times), dst=dst)


def to_item(reminder: Reminder, history: Sequence[HistoryEntry], outcome: CancelOutcome | None = None) -> answers.Item:
    """The item as a caller reads it."""
    item: answers.Item = {
        "id": reminder.external_id,
        "countryCode": reminder.country_code,
        "phoneNumber": reminder.phone_number,
        "recipientName": reminder.recipient_name,
        "notificationTemplateName": reminder.template_name,
        "templateParameters": reminder.parameters,
        "sendTimes": reminder.send_times,
        "timezone": reminder.time_zone,
        "status": reminder.status,
        "nextSendTime": maybe_utc(reminder.next_send_at),
        "lastSendTime": maybe_utc(reminder.last_send_at),
        "lastAttempts": reminder.last_attempts,
        "history": [to_entry(entry) for entry in history],
        "deliveredCount": reminder.sent,
        "skippedCount": reminder.skipped,
    }
    if outcome is not None:
        item["cancelOutcome"] = outcome
    return item


def to_entry(entry: HistoryEntry) -> answers.Entry:
    return {"date": utc(entry.at), "action": entry.action, "detail": entry.detail, "status": entry.status}


def utc(moment: datetime) -> str:
    """`2025-05-29T01:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def maybe_utc(moment: datetime | None) -> str | None:
    """The same, where there is one."""
    return utc(moment) if moment else None
