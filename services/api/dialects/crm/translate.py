"""Core values ⇄ the wire, purely."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from services.api.core.crm import Shown
from services.api.core.people import Person
from services.api.core.recurring import Asked, local_date, next_date, recurrence
from services.api.dialects.crm import answers, wire
from shared.domain.account import Account
from shared.domain.contact import Contact, Precision
from shared.domain.recipient import phone_in
from shared.domain.reminder import Status
from shared.domain.schedule import Unit, read_date

_TEXTS: Final = ("first_name", "last_name", "gender", "is_partial", "email")


def to_asked(body: wire.ReminderGiven) -> Asked:
    """A number of units means nothing for one date alone (B-171)."""
    once = body.frequency_type == wire.ONCE
    return Asked(
        title=body.title,
        description=body.description,
        on=read_date(body.next_expected_date),
        unit=None if once else Unit(body.frequency_type),
        number=1 if once else body.frequency_number or 1,
        feb29=body.feb29,
    )


def to_given(body: wire.NewContact | wire.ContactChange) -> dict[str, Any]:
    """What the caller wrote of a contact, by the core's names."""
    given: dict[str, Any] = {name: getattr(body, name) for name in _TEXTS if name in body.given}
    if "phone" in body.given:
        given["phone"] = None if body.phone is None else phone_in(wire.ANY_REGION, body.phone).e164
    if "birthdate" in body.given:
        given["birthdate"] = None if body.birthdate is None else read_date(body.birthdate)
    if "is_birthdate_approximate" in body.given:
        given["birthdate_precision"] = Precision(body.is_birthdate_approximate)
    return given


def to_reminder(shown: Shown) -> answers.ReminderBody:
    """Dates are midnights in UTC, as their document shows them; `next_send_at` is the instant (B-184)."""
    reminder, every = shown.reminder, recurrence(shown.reminder)
    return {
        "id": reminder.number,
        "object": "reminder",
        "title": reminder.subject or "",
        "description": reminder.text,
        "frequency_type": every.unit.value if every else wire.ONCE,
        "frequency_number": every.number if every else 1,
        "last_triggered_date": _midnight(local_date(reminder, reminder.last_sent_for)),
        "next_expected_date": _midnight(next_date(reminder)),
        "account": _account(shown.account),
        "contact": to_short_contact(shown.contact, shown.account),
        "created_at": _stamp(reminder.created_at),
        "updated_at": _stamp(reminder.updated_at),
        "active": reminder.status is Status.ACTIVE,
        "status": reminder.status.value,
        "next_send_at": _stamp(reminder.next_send_at) if reminder.next_send_at else None,
        "feb29": every.feb29.value if every else None,
    }


def to_short_contact(contact: Contact, account: Account) -> answers.ShortContactBody:
    """What every reminder holds of its contact (B-180)."""
    birthdate: answers.DateBody = {
        "name": "birthdate",
        "is_birthdate_approximate": contact.birthdate_precision.value,
        "birthdate": _midnight(contact.birthdate),
    }
    return {
        "id": contact.number,
        "object": "contact",
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "gender": contact.gender,
        "is_partial": contact.is_partial,
        "information": {"dates": [birthdate]},
        "account": _account(account),
    }


def to_contact(person: Person) -> answers.ContactBody:
    """The contact itself; `uuid` is its name at the other doors."""
    contact = person.contact
    return {
        **to_short_contact(contact, person.account),
        "email": contact.email,
        "phone": contact.phone,
        "uuid": str(contact.id),
        "created_at": _stamp(contact.created_at),
        "updated_at": _stamp(contact.updated_at),
    }


def _account(account: Account) -> answers.AccountBody:
    return {"id": account.number}


def _midnight(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()}T00:00:00Z"


def _stamp(at: datetime) -> str:
    """Whole seconds (B-183)."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
