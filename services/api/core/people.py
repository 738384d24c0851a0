"""Contacts as the CRM door knows them: by number, with a birthdate that makes a reminder (B-172 to B-176)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.api.core.birthdays import keep_birthday
from services.api.core.contact_removal import remove_contact
from services.api.core.contacts import add_contact, change_contact, find_contact, hold_contact, new_contact
from services.api.core.policy import Core
from shared.domain.account import Account
from shared.domain.contact import Contact, Precision
from shared.domain.refusal import Conflict, Invalid, Problem
from shared.domain.schedule import Feb29
from shared.store import accounts, numbered
from shared.store.database import Connection

SOURCE: Final = "crm"


@dataclass(frozen=True, slots=True)
class Person:
    """A contact, and the account whose number stands beside it."""

    contact: Contact
    account: Account


@dataclass(frozen=True, slots=True)
class People:
    """Some of a list, and how many there are in all."""

    found: Sequence[Person]
    total: int


async def add_person(
    tx: Connection, core: Core, given: Mapping[str, Any], *, account_id: UUID, feb29: Feb29 | None, now: datetime
) -> Person:
    """A new contact with what is `given`, by the names of `Contact`, and the reminder of its birthday.

    Raises `Invalid`, and `Conflict` where phone or e-mail is another's.
    """
    fresh = _with(new_contact(account_id, now=now), given, now=now)
    contact = await add_contact(tx, fresh, source=SOURCE, now=now)
    if contact is None:
        raise Conflict("identifier_conflict", "another contact has this phone or e-mail")
    await keep_birthday(tx, core, None, contact, now=now, feb29=feb29)
    return Person(contact, await accounts.get(tx, account_id))


async def change_person(
    tx: Connection,
    core: Core,
    given: Mapping[str, Any],
    *,
    account_id: UUID,
    number: int,
    feb29: Feb29 | None,
    now: datetime,
) -> Person:
    """What is not `given` stays; the birthday's reminder follows. Raises like `add_person`, and `NotFound`."""
    held = await hold_contact(tx, account_id=account_id, number=number)
    contact = await change_contact(tx, core, held, _with(held, given, now=now), source=SOURCE, now=now)
    if feb29 is not None:
        await keep_birthday(tx, core, contact, contact, now=now, feb29=feb29)
    return Person(contact, await accounts.get(tx, account_id))


async def get_person(db: Connection, *, account_id: UUID, number: int) -> Person:
    """Raises `NotFound`."""
    contact = await find_contact(db, account_id=account_id, number=number)
    return Person(contact, await accounts.get(db, account_id))


async def remove_person(tx: Connection, core: Core, *, account_id: UUID, number: int, now: datetime) -> None:
    """Remove a contact with its reminders. Raises `NotFound`."""
    held = await hold_contact(tx, account_id=account_id, number=number)
    await remove_contact(tx, core, held, now=now)


async def list_people(db: Connection, *, account_id: UUID, limit: int, skip: int) -> People:
    """Oldest first, whichever door they came in by."""
    account = await accounts.get(db, account_id)
    total = await numbered.count_contacts(db, account_id=account_id)
    found = await numbered.contacts_page(db, account_id=account_id, limit=limit, skip=skip)
    return People([Person(contact, account) for contact in found], total)


def _with(contact: Contact, given: Mapping[str, Any], *, now: datetime) -> Contact:
    """A date that is given without its precision is exact; without a date nothing is."""
    changed = replace(contact, **given)
    if "birthdate" in given and "birthdate_precision" not in given:
        precision = Precision.UNKNOWN if changed.birthdate is None else Precision.EXACT
        changed = replace(changed, birthdate_precision=precision)
    problems = []
    if changed.birthdate_precision is Precision.EXACT and changed.birthdate is None:
        problems.append(Problem("birthdate", "is needed where is_birthdate_approximate is exact", "missing"))
    if changed.birthdate is not None and changed.birthdate > _today_anywhere(now):
        problems.append(Problem("birthdate", "must not be in the future"))
    if problems:
        raise Invalid(problems)
    return changed


def _today_anywhere(now: datetime) -> date:
    """The latest date that it is somewhere now."""
    return (now + timedelta(hours=14)).date()
