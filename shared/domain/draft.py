"""What a caller asks for, read and normalised; and what is kept of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.recipient import Channel, Phone
from shared.domain.reminder import Status
from shared.domain.schedule import Times, instant, zone


@dataclass(frozen=True, slots=True)
class Draft:
    """A reminder to a phone number at a list of times."""

    external_id: str
    country_code: str
    """As the caller wrote it, for the echo (B-014)."""
    phone_number: str
    """The same."""
    phone: Phone
    recipient_name: str | None
    template_name: str
    parameters: tuple[str, ...]
    send_times: tuple[str, ...]
    """As the caller wrote them, in the caller's order (B-028)."""
    time_zone: str
    times: Times

    def fingerprint(self) -> bytes:
        """sha256 of what it means, however it was written: equal ones are the same request again (B-031)."""
        meaning = [
            self.phone.e164,
            self.recipient_name,
            self.template_name,
            self.parameters,
            [moment.isoformat() for moment in self.times.instants],
            self.time_zone,
        ]
        return hashlib.sha256(json.dumps(meaning).encode()).digest()

    def schedule(self) -> dict[str, Any]:
        """The wall-clock intent as it is stored beside the instants (B-270)."""
        return {"kind": "times", "send_times": list(self.send_times)}


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder as it is kept, and how far it is."""

    id: UUID
    account_id: UUID
    configuration_id: UUID
    door: str
    external_id: str | None
    channel: Channel
    address: str
    country_code: str | None
    phone_number: str | None
    national_digits: str | None
    recipient_name: str | None
    template_name: str | None
    parameters: tuple[str, ...]
    schedule: dict[str, Any]
    time_zone: str
    status: Status
    fingerprint: bytes | None
    sequence: int
    """The number of its newest event."""
    last_send_at: datetime | None
    last_attempts: int
    created_at: datetime
    next_send_at: datetime | None
    """The planned time of its first unfinished send; None unless it is active."""
    sent: int
    """How many of its planned sends were made."""
    skipped: int
    """How many were skipped or came too late."""

    @property
    def send_times(self) -> tuple[str, ...]:
        """As the caller wrote them."""
        return tuple(self.schedule["send_times"])


def draft_of(reminder: Reminder) -> Draft:
    """What a kept reminder says now, as its caller could have asked for it."""
    in_zone = zone(reminder.time_zone)
    return Draft(
        external_id=reminder.external_id or "",
        country_code=reminder.country_code or "",
        phone_number=reminder.phone_number or "",
        phone=Phone(reminder.address, reminder.national_digits or ""),
        recipient_name=reminder.recipient_name,
        template_name=reminder.template_name or "",
        parameters=reminder.parameters,
        send_times=reminder.send_times,
        time_zone=reminder.time_zone,
        times=Times.of(instant(text, in_zone) for text in reminder.send_times),
    )
