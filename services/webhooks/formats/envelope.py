"""The envelope `{id, type, created_at, api_version, data}` (B-155), for every event of the catalogue.

Events on the broker are thin, ids and states only; `data` is filled in here from the rows as they are now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.webhooks.format import Facts, Format, Happened
from shared.domain import webhook_body


def _render(happened: Happened, facts: Facts, delivery_id: UUID) -> bytes:
    envelope = happened.envelope
    return webhook_body.envelope(id=delivery_id, type=envelope.type, at=envelope.at, data=_data(happened, facts))


ENVELOPE: Final = Format("envelope", _render)


def _data(happened: Happened, facts: Facts) -> dict[str, Any]:
    noun, _, verb = happened.envelope.type.partition(".")
    if noun == "message":
        return _message(happened, facts, verb)
    if noun == "reminder" and verb != "deleted":
        return _reminder(happened, facts)
    if noun == "campaign":
        return _campaign(happened, facts)
    if noun == "contact" and verb != "deleted":
        return _contact(happened, facts)
    own = dict(happened.envelope.data)
    own.pop(happened.event.SUBJECT, None)
    return {"id": happened.envelope.subject, **own}


def _message(happened: Happened, facts: Facts, verb: str) -> dict[str, Any]:
    """`status` is the event's own word: it stays true however late the body is rendered."""
    own = happened.envelope.data
    reminder = facts.reminders.get(happened.event.subject())
    occurrence_id = UUID(own["occurrence_id"])
    return {
        "id": occurrence_id,
        "reminder_id": happened.envelope.subject,
        "external_id": own.get("external_id"),
        "contact_id": reminder.contact_id if reminder else None,
        "channel": own["channel"],
        "to": reminder.address if reminder else None,
        "status": verb,
        "provider_message_id": own.get("provider_message_id"),
        "reason": own.get("reason"),
        "attempt": own["attempt"],
        "scheduled_for": own["scheduled_for"],
        "sent_at": own.get("sent_at") or _instant(facts.sent_at.get(occurrence_id)),
    }


def _reminder(happened: Happened, facts: Facts) -> dict[str, Any]:
    own = dict(happened.envelope.data)
    own.pop("reminder_id", None)
    reminder = facts.reminders.get(happened.event.subject())
    if reminder is None:
        return {"id": happened.envelope.subject, **own}
    now = {
        "id": reminder.id,
        "external_id": reminder.external_id,
        "status": reminder.status,
        "channel": reminder.channel,
        "to": reminder.address,
        "time_zone": reminder.time_zone,
        "next_send_at": _instant(reminder.next_send_at),
        "created_at": _instant(reminder.created_at),
        "updated_at": _instant(reminder.updated_at),
    }
    return {**now, **own}


def _campaign(happened: Happened, facts: Facts) -> dict[str, Any]:
    """The campaign as it is now, as `/v1/campaigns` shows it; of an enrolment with its own id and the contact's."""
    own = dict(happened.envelope.data)
    own.pop("campaign_id", None)
    campaign = facts.campaigns.get(happened.event.subject())
    if campaign is None:
        return {"id": happened.envelope.subject, **own}
    now = {
        "id": campaign.id,
        "name": campaign.name,
        "type": campaign.type,
        "status": campaign.status,
        "channel": campaign.channel,
        "category": campaign.category,
        "subject": campaign.subject,
        "body": campaign.body,
        "offsets": [offset.text for offset in campaign.offsets],
        "send_at": _instant(campaign.send_at),
        "created_at": _instant(campaign.created_at),
        "updated_at": _instant(campaign.updated_at),
    }
    return {**now, **own}


def _contact(happened: Happened, facts: Facts) -> dict[str, Any]:
    """The contact as it is now; of one that is gone its id alone is known. A due date is told in full (B-105)."""
    own = {name: value for name, value in happened.envelope.data.items() if value is not None and name != "contact_id"}
    contact = facts.contacts.get(happened.event.subject())
    return {
        "id": happened.envelope.subject,
        "first_name": contact.first_name if contact else None,
        "last_name": contact.last_name if contact else None,
        "phone_e164": contact.phone if contact else None,
        "email": contact.email if contact else None,
        "marketing_consent": contact.marketing_consent if contact else None,
        "next_due_at": _instant(contact.next_due.at) if contact and contact.next_due else None,
        "tags": contact.tags if contact else [],
        "created_at": _instant(contact.created_at) if contact else None,
        "updated_at": _instant(contact.updated_at) if contact else None,
        **own,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else webhook_body.instant(at)
