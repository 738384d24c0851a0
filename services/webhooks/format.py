"""What a body format is: one value that renders an event for one kind of endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.domain.campaign import Campaign
from shared.domain.contact import Contact
from shared.domain.events import Event
from shared.messages.envelope import Envelope
from shared.store.subscribers import ReminderFacts


@dataclass(frozen=True, slots=True)
class Happened:
    """An event off the bus, read."""

    envelope: Envelope
    event: Event


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows said at fan-out. A row that is gone is simply not here."""

    reminders: Mapping[UUID, ReminderFacts] = field(default_factory=dict)
    sent_at: Mapping[UUID, datetime] = field(default_factory=dict)
    """By occurrence."""
    campaigns: Mapping[UUID, Campaign] = field(default_factory=dict)
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """`render` takes the event, the facts and the delivery's id, and returns the final bytes.

    None says that this format has nothing to tell about such an event.
    """

    name: str
    render: Callable[[Happened, Facts, UUID], bytes | None]
