"""Birthday reminders: exactly one for each contact whose birthdate is known exactly (B-172 to B-176).

The contact is locked, or new, wherever this is called: two changes at once come one after the other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration
from services.api.core.policy import Core
from services.api.core.recurring import Asked, draft_of, recurrence
from services.api.core.reminders import Held, delete_reminder, hold, new_reminder, tell_of_new
from shared.domain.contact import Contact, Precision
from shared.domain.draft import Reminder
from shared.domain.reminder import Status
from shared.domain.schedule import Feb29, Unit
from shared.store import accounts, drafts, numbered
from shared.store.database import Connection

NOBODY: Final = "your contact"


async def keep_birthday(
    tx: Connection, core: Core, before: Contact | None, contact: Contact, *, now: datetime, feb29: Feb29 | None = None
) -> None:
    """Make, move, retitle or remove the birthday reminder of a contact that was `before`, if it was at all.

    `feb29` is when one of 29 February comes in other years; None keeps what there is. A reminder that somebody deleted
    comes back with the next change of the date. Raises `Invalid` where the account has no owner to write to.
    """
    born, was = birthday_of(contact), before and birthday_of(before)
    if born is None and was is None:
        return
    id = None
    if before is not None:
        id = await numbered.birthday_of(tx, account_id=contact.account_id, contact_id=contact.id)
    held = await hold(tx, account_id=contact.account_id, id=id) if id is not None else None
    if born is None:
        if held is not None:
            await delete_reminder(tx, held, now=now)
    elif held is not None:
        asked = _asked(held.reminder, before or contact, contact, born, feb29)
        await _change(tx, core, held, contact, asked, now=now)
    elif born != was:
        await _create(tx, contact, born, feb29=feb29, now=now)


def birthday_of(contact: Contact) -> date | None:
    """The date of which a contact is reminded: an exact one alone, others make false alarms (B-174)."""
    return contact.birthdate if contact.birthdate_precision is Precision.EXACT else None


def title_of(contact: Contact) -> str:
    """What the reminder of a contact's birthday says, with the name as it is known (B-175)."""
    name = " ".join(filter(None, (contact.first_name, contact.last_name)))
    return f"Wish {name or contact.email or contact.phone or NOBODY} a happy birthday"


async def _create(tx: Connection, contact: Contact, born: date, *, feb29: Feb29 | None, now: datetime) -> None:
    configuration = await get_configuration(tx, account_id=contact.account_id)
    account = await accounts.get(tx, contact.account_id)
    asked = Asked(title_of(contact), None, born, Unit.YEAR, feb29=feb29)
    draft = draft_of(asked, account, configuration, contact.id, now=now)
    new = new_reminder(
        configuration, draft, door="crm", detail="Created with the contact's birthdate", now=now, birthday=True
    )
    if await drafts.insert(tx, [new]):
        await tell_of_new(tx, [new], now=now)


async def _change(tx: Connection, core: Core, held: Held, contact: Contact, asked: Asked, *, now: datetime) -> None:
    """The reminder with another title or date; what stays the same keeps its hour and its zone."""
    reminder, every = held.reminder, recurrence(held.reminder)
    configuration = await get_configuration(tx, account_id=contact.account_id)
    account = await accounts.get(tx, contact.account_id)
    draft = draft_of(asked, account, configuration, contact.id, now=now)
    if every is not None and (every.anchor, every.feb29) == (asked.on, asked.feb29):
        draft = replace(draft, schedule=every, time_zone=reminder.time_zone)
    await change_reminder(tx, core, configuration, held, Change(draft, Status.ACTIVE), now=now)


def _asked(reminder: Reminder, before: Contact, contact: Contact, born: date, feb29: Feb29 | None) -> Asked:
    """A title that somebody wrote stays; one of ours follows the name."""
    every, title = recurrence(reminder), reminder.subject or ""
    return Asked(
        title=title_of(contact) if title == title_of(before) else title,
        description=reminder.text,
        on=born,
        unit=Unit.YEAR,
        feb29=feb29 or (every.feb29 if every else None),
    )
