"""Reminders about contacts, to the account's own user: by number, with the contact beside each (B-167 to B-206).

A contact is locked before its reminders are, here and wherever a contact is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration
from services.api.core.contacts import find_contact, hold_contact
from services.api.core.policy import Core
from services.api.core.recurring import Asked, draft_of, keeping_course, recurrence
from services.api.core.reminders import create_reminder, delete_reminder, hold
from shared.domain.account import Account
from shared.domain.contact import Contact
from shared.domain.draft import Reminder
from shared.domain.refusal import Invalid, NotFound, Problem
from shared.domain.reminder import Status
from shared.store import accounts, contacts, numbered
from shared.store import reminders as store
from shared.store.database import Connection

DOOR: Final = "crm"

TOO_HIGH: Final = "limit_too_high"
"""The code of a page that is too large."""

MOST_TEXT: Final = 50_000_000
"""Bytes of text in one page; ten of the longest reminders fit, a hundred would take a gigabyte of memory."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A reminder with the person whom it is about."""

    reminder: Reminder
    contact: Contact
    account: Account


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, and how many there are in all."""

    found: Sequence[Shown]
    total: int


async def create(
    tx: Connection, core: Core, asked: Asked, *, account_id: UUID, contact_number: int, now: datetime
) -> Shown:
    """A reminder about a contact (B-192 to B-200).

    Raises `NotFound` for the contact; `Invalid` for a single date that is over, and without an owner to write to.
    """
    contact = await hold_contact(tx, account_id=account_id, number=contact_number)
    account = await accounts.get(tx, account_id)
    configuration = await get_configuration(tx, account_id=account_id)
    draft = draft_of(asked, account, configuration, contact.id, now=now, past_dates=core.allow_past_dates)
    seen, _ = await create_reminder(
        tx, core, configuration, draft, door=DOOR, detail="Created through the CRM API", now=now
    )
    # Read again for its number, which the database gives.
    return Shown(await _reminder(tx, account_id, seen.reminder.id), contact, account)


async def show(db: Connection, *, account_id: UUID, number: int) -> Shown:
    """One reminder, also one that is over (B-179). Raises `NotFound`."""
    reminder = await numbered.get(db, account_id=account_id, number=number)
    if reminder is None or reminder.contact_id is None:
        raise NotFound("reminder")
    found = await contacts.find(db, account_id=account_id, id=reminder.contact_id)
    if found is None:  # removed between the two looks, and the reminder with it
        raise NotFound("reminder")
    return Shown(reminder, found, await accounts.get(db, account_id))


async def change(
    tx: Connection, core: Core, asked: Asked, *, account_id: UUID, number: int, contact_number: int, now: datetime
) -> Shown:
    """Make a reminder what `asked` says, of whichever contact (B-201 to B-203); what was planned before never fires.

    One that is over goes on. A birthday's date follows its contact alone. Raises like `create`, and `NotFound` for
    the reminder.
    """
    id = await _id(tx, account_id, number)
    contact = await hold_contact(tx, account_id=account_id, number=contact_number)
    held = await hold(tx, account_id=account_id, id=id)
    course = keeping_course(asked, held.reminder)
    _check_birthday(held.reminder, course, contact)
    account = await accounts.get(tx, account_id)
    configuration = await get_configuration(tx, account_id=account_id)
    draft = draft_of(course, account, configuration, contact.id, now=now, past_dates=core.allow_past_dates)
    await change_reminder(tx, core, configuration, held, Change(draft, Status.ACTIVE), now=now)
    return Shown(await _reminder(tx, account_id, id), contact, account)


async def remove(tx: Connection, *, account_id: UUID, number: int, now: datetime) -> None:
    """Remove a reminder, and with it what waits to be sent (B-204). Raises `NotFound`."""
    held = await hold(tx, account_id=account_id, id=await _id(tx, account_id, number))
    await delete_reminder(tx, held, now=now)


async def list_all(db: Connection, *, account_id: UUID, contact_number: int | None, limit: int, skip: int) -> Page:
    """Oldest first; of one contact or of all. Raises `NotFound` for the contact (B-190).

    Raises `Invalid` where the page holds too much text for one answer.
    """
    contact_id = None
    if contact_number is not None:
        contact_id = (await find_contact(db, account_id=account_id, number=contact_number)).id
    account = await accounts.get(db, account_id)
    total = await numbered.count(db, account_id=account_id, contact_id=contact_id)
    text = await numbered.weight(db, account_id=account_id, contact_id=contact_id, limit=limit, skip=skip)
    if text > MOST_TEXT:
        raise Invalid(
            [Problem("limit", "must be lower: the reminders of this page are too long for one answer", TOO_HIGH)]
        )
    found = await numbered.page(db, account_id=account_id, contact_id=contact_id, limit=limit, skip=skip)
    ids = {reminder.contact_id for reminder in found if reminder.contact_id is not None}
    people = await contacts.read(db, account_ids=[account_id], ids=ids)
    shown = [Shown(one, people[one.contact_id], account) for one in found if one.contact_id in people]
    return Page(shown, total)


async def _id(db: Connection, account_id: UUID, number: int) -> UUID:
    id = await numbered.id_of(db, account_id=account_id, number=number)
    if id is None:
        raise NotFound("reminder")
    return id


async def _reminder(db: Connection, account_id: UUID, id: UUID) -> Reminder:
    reminder = await store.get_by_id(db, account_id=account_id, id=id)
    if reminder is None:
        raise NotFound("reminder")
    return reminder


def _check_birthday(reminder: Reminder, asked: Asked, contact: Contact) -> None:
    """Its words are free; when it comes and about whom is the contact's to say (B-172)."""
    if not reminder.birthday:
        return
    every = recurrence(reminder)
    follows = "of a birthday follows the contact's birthdate: change that one"
    problems = []
    if every is None or (asked.unit, asked.number) != (every.unit, every.number):
        problems.append(Problem("frequency_type", follows))
    elif asked.on != every.anchor:
        problems.append(Problem("next_expected_date", follows))
    if reminder.contact_id != contact.id:
        problems.append(Problem("contact_id", follows))
    if problems:
        raise Invalid(problems)
