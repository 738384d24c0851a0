"""What happened, in the past tense: one frozen class for each type and version.

The fields are ids, states, times and codes: never a name, a number or a message's text. `SUBJECT` names the
field that holds the subject's id; events of one subject carry a gap-free sequence (`shared.messages.envelope`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID


class Event:
    """What every event has."""

    __slots__ = ()

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    SUBJECT: ClassVar[str]

    def subject(self) -> UUID:
        """The id of the reminder, contact, campaign, endpoint or account that it is about."""
        subject: UUID = getattr(self, self.SUBJECT)
        return subject


@dataclass(frozen=True, slots=True)
class _OfReminder(Event):
    SUBJECT: ClassVar[str] = "reminder_id"

    reminder_id: UUID
    external_id: str | None


@dataclass(frozen=True, slots=True)
class ReminderCreated(_OfReminder):
    """A reminder was accepted."""

    TYPE: ClassVar[str] = "reminder.created"
    next_send_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReminderUpdated(_OfReminder):
    """A reminder was changed: by a caller, or because the rules of its time zone changed."""

    TYPE: ClassVar[str] = "reminder.updated"
    next_send_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReminderCancelled(_OfReminder):
    """A caller cancelled a reminder; `outcome` is prevented, in_flight or already_sent."""

    TYPE: ClassVar[str] = "reminder.cancelled"
    outcome: str


@dataclass(frozen=True, slots=True)
class ReminderReactivated(_OfReminder):
    """An ended reminder is active again."""

    TYPE: ClassVar[str] = "reminder.reactivated"
    next_send_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReminderCompleted(_OfReminder):
    """Its last send time has ended, and at least one was sent."""

    TYPE: ClassVar[str] = "reminder.completed"


@dataclass(frozen=True, slots=True)
class ReminderExpired(_OfReminder):
    """Its last send time has ended, and none was sent."""

    TYPE: ClassVar[str] = "reminder.expired"


@dataclass(frozen=True, slots=True)
class ReminderDeleted(_OfReminder):
    """A caller removed a reminder for good."""

    TYPE: ClassVar[str] = "reminder.deleted"
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class _OfMessage(_OfReminder):
    occurrence_id: UUID
    channel: str
    attempt: int
    scheduled_for: datetime


@dataclass(frozen=True, slots=True)
class MessageSent(_OfMessage):
    """The provider accepted the message."""

    TYPE: ClassVar[str] = "message.sent"
    provider: str
    provider_message_id: str | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class MessageAttemptFailed(_OfMessage):
    """One try failed; another follows, or `message.failed` does."""

    TYPE: ClassVar[str] = "message.attempt_failed"
    provider: str
    reason: str
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageFailed(_OfMessage):
    """A planned send ended unsent; comes once."""

    TYPE: ClassVar[str] = "message.failed"
    reason: str


@dataclass(frozen=True, slots=True)
class MessageSkipped(_OfMessage):
    """A planned send was left out by a rule of the account, not by a failure."""

    TYPE: ClassVar[str] = "message.skipped"
    reason: str


@dataclass(frozen=True, slots=True)
class MessageUncertain(_OfMessage):
    """The answer was lost at a provider that takes no key: parked, never repeated blindly."""

    TYPE: ClassVar[str] = "message.uncertain"
    provider: str
    reason: str


@dataclass(frozen=True, slots=True)
class _OfReceipt(_OfMessage):
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class MessageDelivered(_OfReceipt):
    """The provider reports that the message reached the recipient."""

    TYPE: ClassVar[str] = "message.delivered"


@dataclass(frozen=True, slots=True)
class MessageUndelivered(_OfReceipt):
    """The provider reports that the message did not reach the recipient."""

    TYPE: ClassVar[str] = "message.undelivered"
    reason: str


@dataclass(frozen=True, slots=True)
class MessageRead(_OfReceipt):
    """The provider reports that the recipient opened the message."""

    TYPE: ClassVar[str] = "message.read"


@dataclass(frozen=True, slots=True)
class MessageOptedOut(_OfMessage):
    """The provider refused because the recipient opted out."""

    TYPE: ClassVar[str] = "message.opted_out"


@dataclass(frozen=True, slots=True)
class _OfContact(Event):
    SUBJECT: ClassVar[str] = "contact_id"

    contact_id: UUID


@dataclass(frozen=True, slots=True)
class ContactCreated(_OfContact):
    """A contact was added."""

    TYPE: ClassVar[str] = "contact.created"


@dataclass(frozen=True, slots=True)
class ContactUpdated(_OfContact):
    """A contact's details changed."""

    TYPE: ClassVar[str] = "contact.updated"
    missed_due_dates: tuple[date, ...] | None = None


@dataclass(frozen=True, slots=True)
class ContactDeleted(_OfContact):
    """A contact was removed."""

    TYPE: ClassVar[str] = "contact.deleted"
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class _OfCampaign(Event):
    SUBJECT: ClassVar[str] = "campaign_id"

    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class CampaignCreated(_OfCampaign):
    """A campaign was added."""

    TYPE: ClassVar[str] = "campaign.created"


@dataclass(frozen=True, slots=True)
class CampaignEnrolled(_OfCampaign):
    """A contact was enrolled in a campaign."""

    TYPE: ClassVar[str] = "campaign.enrolled"
    contact_id: UUID
    enrollment_id: UUID


@dataclass(frozen=True, slots=True)
class EndpointDisabled(Event):
    """An endpoint was switched off, by the system or by its owner."""

    TYPE: ClassVar[str] = "endpoint.disabled"
    SUBJECT: ClassVar[str] = "endpoint_id"
    endpoint_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class DeliveryExhausted(Event):
    """A delivery used up its eight attempts."""

    TYPE: ClassVar[str] = "delivery.exhausted"
    SUBJECT: ClassVar[str] = "endpoint_id"
    endpoint_id: UUID
    delivery_id: UUID
    event_id: UUID
    event_type: str


@dataclass(frozen=True, slots=True)
class ScheduleRepaired(_OfReminder):
    """The sentinel found a reminder that could never have rung, and mended it."""

    TYPE: ClassVar[str] = "schedule.repaired"
    reason: str


@dataclass(frozen=True, slots=True)
class ProviderPaused(Event):
    """A provider refused our credentials: the account's sends on this channel are kept until it is mended."""

    TYPE: ClassVar[str] = "provider.paused"
    SUBJECT: ClassVar[str] = "account_id"
    account_id: UUID
    channel: str
    provider: str
    reason: str
