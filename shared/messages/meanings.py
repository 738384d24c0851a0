"""What each field of the published language means: one sentence per name, wherever the name occurs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENVELOPE: Final[Mapping[str, str]] = {
    "id": "The message's own id, the same on every repeat: know a message again by it.",
    "type": "What happened, such as `message.sent`.",
    "version": "The version of this type's `data`, from 1.",
    "account_id": "The account that it belongs to; null for a command.",
    "at": "When it happened, by the database's clock.",
    "subject": "The id of the reminder, contact, campaign, endpoint or account that it is about; null for a command.",
    "sequence": "Its place among the events of its subject, from 1 and without gaps; 0 for a command.",
    "data": "The fields of the type, below.",
}

DATA: Final[Mapping[str, str]] = {
    "account_id": "The account.",
    "attempt": "Calls to the provider so far, this one included; 0 before the first.",
    "campaign_id": "The campaign.",
    "channel": "`sms`, `whatsapp` or `email`.",
    "contact_id": "The contact.",
    "deleted_at": "When it was deleted.",
    "delivery_id": "The delivery that was given up.",
    "due": "The claimed occurrences: each an `occurrence_id` and the `version` that it was claimed with.",
    "endpoint_id": "The webhook endpoint.",
    "enrollment_id": "The enrolment: this contact in this campaign.",
    "event_id": "The event that the delivery carried.",
    "event_type": "The type of that event.",
    "external_id": "The id that the caller chose for the reminder; null where it chose none.",
    "missed_due_dates": "Dates that were passed over, ascending, the newest 100; null where none was.",
    "next_send_at": "The next planned send; null where none is left.",
    "occurrence_id": "The planned send: one reminder at one send time.",
    "outcome": "What a cancel came in time for: `prevented`, `in_flight` or `already_sent`.",
    "provider": "The messaging provider, by its name in Belltower.",
    "provider_message_id": "The provider's own id for the message; null where it gave none.",
    "reason": "Why, in Belltower's own words: to be shown or logged, not to be parsed.",
    "reminder_id": "The reminder.",
    "retry_at": "When the next try is due; null where there is none.",
    "scheduled_for": "The planned time; retries do not move it.",
    "sent_at": "When the provider accepted the message.",
}
