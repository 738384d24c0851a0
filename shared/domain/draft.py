"""What a caller asks for, read and normalised; and what is kept of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.domain.account import LateBooking
from shared.domain.occurrence import Kind
from shared.domain.plan import Planned
from shared.domain.recipient import Channel
from shared.domain.reminder import Status
from shared.domain.schedule import Around, Every, Schedule, Times, has_offset, intent, schedule_of, to_json


class Category(StrEnum):
    """What a message is for: marketing needs consent, transactional only no opt-out (B-268)."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


@dataclass(frozen=True, slots=True)
class Draft:
    """A reminder to one address on one schedule."""

    external_id: str | None
    channel: Channel
    address: str
    """E.164, or an e-mail address."""
    schedule: Schedule
    time_zone: str
    country_code: str | None = None
    """As the caller wrote it, for the echo (B-014)."""
    phone_number: str | None = None
    """The same."""
    national_digits: str | None = None
    recipient_name: str | None = None
    template_name: str | None = None
    parameters: tuple[str, ...] = ()
    text: str | None = None
    """A ready text, where there is no template."""
    subject: str | None = None
    texts: Mapping[Kind, str] = field(default_factory=dict, compare=False)
    """Ready texts of single kinds of sends; kept with the sends."""
    category: Category = Category.TRANSACTIONAL
    contact_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """What only its door knows, for the echo; JSON."""

    def fingerprint(self) -> bytes:
        """sha256 of what it means, however it was written: equal ones are the same request again (B-031)."""
        return hashlib.sha256(json.dumps(self._meaning(), sort_keys=True, default=str).encode()).digest()

    def _meaning(self) -> dict[str, Any]:
        """Without `texts`: they follow from the details and from what is registered, which may change."""
        return {
            "to": [self.channel, self.address, self.recipient_name, self.contact_id],
            "what": [self.template_name, self.parameters, self.text, self.subject, self.category],
            "when": [self._when(), self.time_zone],
            "details": dict(self.details),
        }

    def _when(self) -> list[Any] | dict[str, Any]:
        """As it was meant: how a zone's times are read may change before the same request comes again."""
        match self.schedule:
            case Times(texts=texts) if not all(map(has_offset, texts)):
                return sorted({intent(text) for text in texts})
            case Times(instants=instants):
                return [at.isoformat() for at in instants]
            case Around() as around:
                after = around.follow_up_after
                lengths = [(one.days, one.clock) if one else None for one in (around.remind_before, after)]
                return [intent(around.event), *lengths]
            case Every() as every:
                return to_json(every)

    def planned(
        self, *, now: datetime, late_booking: LateBooking = LateBooking.SKIP, but: frozenset[datetime] = frozenset()
    ) -> tuple[Planned, ...]:
        """Its sends as they are to be planned, ascending; of an `Every` the next one that is not in `but`.

        Times in the past are planned like any (B-029); only an appointment's reminder has a rule of its own.
        """
        match self.schedule:
            case Times(instants=instants):
                return tuple(Planned(at, Kind.MAIN, self.texts.get(Kind.MAIN)) for at in instants)
            case Every() as every:
                first = every.first_from(now)
                while first in but:
                    first = every.first_after(first)
                return (Planned(first, Kind.MAIN),)
            case Around() as around:
                return self._around(around, now, late_booking)

    def _around(self, around: Around, now: datetime, late_booking: LateBooking) -> tuple[Planned, ...]:
        at, late = around.remind_at, around.remind_at <= now
        text = self.texts.get(Kind.MAIN)
        if not late:
            main = Planned(at, Kind.MAIN, text)
        elif late_booking is LateBooking.SEND_NOW and around.event_at > now:
            main = Planned(now, Kind.MAIN, text)
        else:
            main = Planned(at, Kind.MAIN, text, skipped="booked after the reminder was due")
        follow_up = around.follow_up_at
        if follow_up is None:
            return (main,)
        missed = "booked after the follow-up was due" if follow_up <= now else None
        return (main, Planned(follow_up, Kind.FOLLOW_UP, self.texts.get(Kind.FOLLOW_UP), skipped=missed))


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder as it is kept, and how far it is."""

    id: UUID
    number: int
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
    text: str | None
    subject: str | None
    category: Category
    contact_id: UUID | None
    enrollment_id: UUID | None
    birthday: bool
    details: dict[str, Any]
    schedule_json: dict[str, Any]
    time_zone: str
    status: Status
    fingerprint: bytes | None
    sequence: int
    """The number of its newest event."""
    last_send_at: datetime | None
    last_attempts: int
    created_at: datetime
    updated_at: datetime
    next_send_at: datetime | None
    """The planned time of its first unfinished send; None unless it is active."""
    last_sent_for: datetime | None
    """The planned time of its newest send that was made."""
    sent: int
    """How many of its planned sends were made."""
    skipped: int
    """How many were skipped or came too late."""

    @property
    def schedule(self) -> Schedule:
        return schedule_of(self.schedule_json, self.time_zone)

    @property
    def send_times(self) -> tuple[str, ...]:
        """As the caller wrote them."""
        return tuple(self.schedule_json.get("send_times", ()))


def draft_of(reminder: Reminder) -> Draft:
    """What a kept reminder says now, as its caller could have asked for it."""
    return Draft(
        external_id=reminder.external_id,
        channel=reminder.channel,
        address=reminder.address,
        schedule=reminder.schedule,
        time_zone=reminder.time_zone,
        country_code=reminder.country_code,
        phone_number=reminder.phone_number,
        national_digits=reminder.national_digits,
        recipient_name=reminder.recipient_name,
        template_name=reminder.template_name,
        parameters=reminder.parameters,
        text=reminder.text,
        subject=reminder.subject,
        category=reminder.category,
        contact_id=reminder.contact_id,
        details=reminder.details,
    )
