"""The whole language on the broker. `docs/events.md` and the JSON schemas are generated from this list."""

from __future__ import annotations

from typing import Final

from shared.domain import events
from shared.domain.events import Event
from shared.messages.commands import SendDue

Message = Event | SendDue

EVENTS: Final[tuple[type[Event], ...]] = (
    events.ReminderCreated,
    events.ReminderUpdated,
    events.ReminderCancelled,
    events.ReminderReactivated,
    events.ReminderCompleted,
    events.ReminderExpired,
    events.ReminderDeleted,
    events.MessageSent,
    events.MessageAttemptFailed,
    events.MessageFailed,
    events.MessageSkipped,
    events.MessageUncertain,
    events.MessageDelivered,
    events.MessageUndelivered,
    events.MessageRead,
    events.MessageOptedOut,
    events.ContactCreated,
    events.ContactUpdated,
    events.ContactDeleted,
    events.CampaignCreated,
    events.CampaignEnrolled,
    events.EndpointDisabled,
    events.DeliveryExhausted,
    events.ScheduleRepaired,
    events.ProviderPaused,
)

COMMANDS: Final = (SendDue,)

CATALOGUE: Final[tuple[type[Message], ...]] = (*COMMANDS, *EVENTS)
