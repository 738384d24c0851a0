"""Contacts: add, change, remove. One per person and account, whichever door they came in by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.core.arming import rearm_contact, retarget
from services.api.core.birthdays import keep_birthday
from services.api.core.policy import Core
from shared.domain.contact import Contact, Precision
from shared.domain.draft import Category
from shared.domain.events import ContactCreated, ContactUpdated, Event
from shared.domain.refusal import Conflict, NotFound
from shared.store import consents, outbox
from shared.store import contacts as store
from shared.store.consents import Consent
from shared.store.database import Connection
from shared.store.failures import Taken
from shared.store.outbox import Recorded

_TRIES: Final = 4
"""Of finding or adding somebody whom others add and remove at the same time."""


def new_contact(account_id: UUID, *, now: datetime, **given: Any) -> Contact:
    """A contact of whom nothing is known but what is `given`; not written yet."""
    nobody = Contact(
        id=uuid7(),
        number=0,
        account_id=account_id,
        phone=None,
        email=None,
        first_name=None,
        last_name=None,
        gender=None,
        is_partial=False,
        note=None,
        tags=(),
        custom_fields={},
        marketing_consent=False,
        time_zone=None,
        next_due=None,
        last_service=None,
        interval=None,
        due_anchor=None,
        advance_at=None,
        birthdate=None,
        birthdate_precision=Precision.UNKNOWN,
        sequence=1,
        created_at=now,
        updated_at=now,
    )
    return replace(nobody, **given)


async def add_contact(tx: Connection, contact: Contact, *, source: str, now: datetime) -> Contact | None:
    """Write a new contact and tell of it; None where its phone or e-mail is another's.

    `source` says in the consent ledger by which door it came.
    """
    written = await store.insert(tx, contact)
    if written is None:
        return None
    if written.marketing_consent:
        await _record_consent(tx, written, source=source, now=now)
    await _tell(tx, written, ContactCreated(written.id), now=now)
    return written


async def hold_contact(
    tx: Connection, *, account_id: UUID, id: UUID | None = None, number: int | None = None
) -> Contact:
    """A contact, locked until the transaction ends. Raises `NotFound`."""
    held = await store.hold(tx, account_id=account_id, id=id, number=number)
    if not held:
        raise NotFound("contact")
    return held[0]


async def find_contact(
    db: Connection,
    *,
    account_id: UUID,
    id: UUID | None = None,
    number: int | None = None,
    phone: str | None = None,
    email: str | None = None,
) -> Contact:
    """The contact that one of these names. Raises `NotFound`."""
    found = await store.find(db, account_id=account_id, id=id, number=number, phone=phone, email=email)
    if found is None:
        raise NotFound("contact")
    return found


async def change_contact(
    tx: Connection,
    core: Core,
    held: Contact,
    changed: Contact,
    *,
    source: str,
    now: datetime,
    missed: tuple[date, ...] = (),
) -> Contact:
    """Make a held contact what `changed` says, and its planned sends with it; nothing is told where nothing changed.

    `missed` are due dates that were passed over; the event lists them (B-114).

    Raises `Conflict` where its new phone or e-mail is another's: two people are never merged silently (B-106).
    """
    if changed == held:
        return held
    written = replace(changed, sequence=held.sequence + 1, updated_at=now)
    try:
        await store.update(tx, written)
    except Taken:
        raise _conflict() from None
    if written.marketing_consent != held.marketing_consent:
        await _record_consent(tx, written, source=source, now=now)
    await _tell(tx, written, ContactUpdated(written.id, missed_due_dates=missed or None), now=now)
    if (written.phone, written.email) != (held.phone, held.email):
        await retarget(tx, written, now=now)
    await rearm_contact(tx, core, written, now=now)
    await keep_birthday(tx, core, held, written, now=now)
    return written


async def subscriber(
    tx: Connection,
    core: Core,
    *,
    account_id: UUID,
    phone: str,
    source: str,
    now: datetime,
    apply: Callable[[Contact], Contact],
) -> Contact:
    """The contact with this phone, changed by `apply`, or a new one: safe under races, and locked (B-099, B-212).

    Raises `Conflict` where what `apply` sets, such as an e-mail, is another's.
    """
    for _ in range(_TRIES):
        held = await store.hold(tx, account_id=account_id, phone=phone)
        if held:
            return await change_contact(tx, core, held[0], apply(held[0]), source=source, now=now)
        fresh = apply(new_contact(account_id, now=now, phone=phone))
        added = await add_contact(tx, fresh, source=source, now=now)
        if added is not None:
            return added
    raise _conflict()


def _conflict() -> Conflict:
    return Conflict("identifier_conflict", "another contact has this phone or e-mail")


async def _record_consent(tx: Connection, contact: Contact, *, source: str, now: datetime) -> None:
    consent = Consent(Category.MARKETING, contact.marketing_consent, source, now)
    await consents.record(tx, consent, account_id=contact.account_id, contact_id=contact.id)


async def _tell(tx: Connection, contact: Contact, event: Event, *, now: datetime) -> None:
    await outbox.append(tx, [Recorded(event, contact.account_id, now, contact.sequence)])
