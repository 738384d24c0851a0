"""Reminders of appointments: book, change, cancel, report as missed, find (B-209 to B-246).

A reminder's status is its appointment's here: cancelled is what was called off, also after all was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.api.core.appointment_messages import DOOR, hold_told, stop_told, tell, tell_of_cancel
from services.api.core.appointment_types import messages_of
from services.api.core.changes import Change, Changed, change_reminder
from services.api.core.contacts import change_contact, hold_contact, subscriber
from services.api.core.listing import Page
from services.api.core.policy import Core
from services.api.core.reminders import Held, Seen, hold, new_reminder, see, tell_of_new
from shared.domain.account import Configuration
from shared.domain.booking import Booking, MessageType, around_of, by_kind, missed, replanned, text_of, texts_of
from shared.domain.contact import Contact
from shared.domain.draft import Category, Draft, Reminder, draft_of
from shared.domain.occurrence import Kind
from shared.domain.plan import Planned
from shared.domain.refusal import Conflict, NotFound
from shared.domain.reminder import Status
from shared.store import appointments as store
from shared.store import consents, drafts
from shared.store.database import Connection
from shared.store.failures import Taken

Names = Mapping[str, str]
"""`first_name` and `last_name`, as far as a request gives them."""


async def create_appointment(
    tx: Connection, core: Core, configuration: Configuration, draft: Draft, *, names: Names, now: datetime
) -> Seen:
    """The reminder of an appointment; the same request again finds the one that there is (B-213).

    `draft` comes with its `Booking` as details, and without contact and texts. Raises `Invalid` where the type is
    unknown, a message is missing or lacks a value, `Conflict` where the contact has another reminder of that
    appointment, or is not eligible and has to be (B-230); then nothing is kept.
    """
    account_id, booking = configuration.account_id, Booking.of(draft.details)
    contact = await _subscriber(tx, core, draft, account_id=account_id, names=names, now=now)
    draft = replace(draft, contact_id=contact.id)
    existing = await _existing(tx, account_id, draft)
    if existing is not None:
        return existing
    messages = await messages_of(tx, account_id=account_id, type_id=booking.type_id)
    texts = texts_of(around_of(draft), messages, booking.metadata)
    if booking.eligible_only:
        await _check_eligible(tx, contact, draft)
    new = new_reminder(
        configuration,
        replace(draft, texts=by_kind(texts)),
        door=DOOR,
        detail="Created through the appointments API",
        now=now,
    )
    if not await drafts.insert(tx, [new]):
        raise _duplicate(None)  # a change of another appointment came between; the next try finds it
    await tell_of_new(tx, [new], now=now)
    seen = await see(tx, account_id=account_id, id=new.id)
    await tell(tx, configuration, seen.reminder, MessageType.CONFIRMATION, texts, now=now)
    return seen


async def hold_appointment(tx: Connection, *, account_id: UUID, id: UUID | None) -> Held:
    """The reminder of an appointment and its sends, locked until the transaction ends. Raises `NotFound` (B-248)."""
    if id is None:
        raise NotFound("reminder")
    held = await hold(tx, account_id=account_id, id=id)
    _check_mine(held.reminder)
    return held


async def get_appointment(db: Connection, *, account_id: UUID, id: UUID | None) -> Seen:
    """Raises `NotFound`."""
    if id is None:
        raise NotFound("reminder")
    seen = await see(db, account_id=account_id, id=id)
    _check_mine(seen.reminder)
    return seen


async def list_appointments(
    db: Connection, *, account_id: UUID, external_id: str | None, address: str | None, limit: int, skip: int
) -> Page:
    """One page, newest first, with how many match in all; without their histories (B-251)."""
    total = await store.count(db, account_id=account_id, external_id=external_id, address=address)
    found = await store.page(
        db, account_id=account_id, external_id=external_id, address=address, limit=limit, skip=skip
    )
    return Page([Seen(reminder, []) for reminder in found], total)


async def change_appointment(
    tx: Connection, core: Core, configuration: Configuration, held: Held, draft: Draft, *, names: Names, now: datetime
) -> Seen:
    """Make a held appointment what `draft` says (B-235 to B-241): its old times never fire.

    Raises `Conflict` for a cancelled one, and where the contact has another reminder of that appointment; `Invalid`
    like `create_appointment`.
    """
    reminder = held.reminder
    if reminder.status is Status.CANCELLED:
        raise Conflict("invalid_state", "a cancelled appointment is not changed; create a new one")
    booking, account_id = Booking.of(draft.details), reminder.account_id
    draft = replace(draft, contact_id=await _contact_after(tx, core, reminder, draft, names=names, now=now))
    if (draft.contact_id, draft.external_id) != (reminder.contact_id, reminder.external_id):
        await _check_free(tx, reminder, draft)
    messages = await messages_of(tx, account_id=account_id, type_id=booking.type_id)
    around = around_of(draft)
    draft = replace(draft, texts=by_kind(texts_of(around, messages, booking.metadata)))
    sends = replanned(
        held.places,
        before=around_of(draft_of(reminder)),
        draft=draft,
        now=now,
        late_booking=configuration.late_booking,
    )
    change = Change(draft=draft, sends=sends)
    try:
        return (await change_reminder(tx, core, configuration, held, change, now=now)).seen
    except Taken:
        raise _duplicate(None) from None


async def cancel_appointment(
    tx: Connection, core: Core, configuration: Configuration, *, id: UUID | None, now: datetime
) -> Changed:
    """Call an appointment off: nothing more of it is sent, its confirmation neither; a second time it changes nothing
    (B-242, B-243, B-227). Raises `NotFound` (B-248).
    """
    account_id = configuration.account_id
    told = await hold_told(tx, account_id=account_id, id=id) if id is not None else ()
    held = await hold_appointment(tx, account_id=account_id, id=id)
    await stop_told(tx, core, configuration, told, now=now)
    change = Change(status=Status.CANCELLED, over_too=True)
    changed = await change_reminder(tx, core, configuration, held, change, now=now)
    if held.reminder.status is not Status.CANCELLED:
        await tell_of_cancel(tx, configuration, changed.seen.reminder, now=now)
    return changed


async def report_no_show(
    tx: Connection, core: Core, configuration: Configuration, held: Held, *, now: datetime
) -> Seen:
    """Tell the contact that it missed the appointment, at once and once; no follow-up then (B-244 to B-246).

    Raises `Conflict` for a cancelled appointment or before its time, `Invalid` where its type has no such message.
    """
    reminder, around = held.reminder, around_of(draft_of(held.reminder))
    if reminder.status is Status.CANCELLED:
        raise Conflict("invalid_state", "a cancelled appointment cannot be missed")
    if around.event_at > now:
        raise Conflict("event_not_started", "an appointment cannot be missed before its time")
    if missed(held.places, around) is not None:
        return await see(tx, account_id=reminder.account_id, id=reminder.id)
    booking = Booking.of(reminder.details)
    messages = await messages_of(tx, account_id=reminder.account_id, type_id=booking.type_id)
    text = text_of(MessageType.NO_SHOW, messages, booking.metadata)
    change = Change(sends=(Planned(now, Kind.NO_SHOW, text),), note="Reported as missed")
    return (await change_reminder(tx, core, configuration, held, change, now=now)).seen


async def _subscriber(
    tx: Connection, core: Core, draft: Draft, *, account_id: UUID, names: Names, now: datetime
) -> Contact:
    return await subscriber(
        tx,
        core,
        account_id=account_id,
        phone=draft.address,
        source=DOOR,
        now=now,
        apply=lambda contact: _named(contact, names),
    )


async def _contact_after(
    tx: Connection, core: Core, reminder: Reminder, draft: Draft, *, names: Names, now: datetime
) -> UUID | None:
    """Whom a changed appointment is of: another phone is another contact (B-241). One that was removed stays so."""
    if draft.address != reminder.address:
        return (await _subscriber(tx, core, draft, account_id=reminder.account_id, names=names, now=now)).id
    if names and reminder.contact_id is not None:
        contact = await hold_contact(tx, account_id=reminder.account_id, id=reminder.contact_id)
        await change_contact(tx, core, contact, _named(contact, names), source=DOOR, now=now)
    return reminder.contact_id


def _named(contact: Contact, names: Names) -> Contact:
    first, last = names.get("first_name", contact.first_name), names.get("last_name", contact.last_name)
    return replace(contact, first_name=first, last_name=last)


async def _existing(tx: Connection, account_id: UUID, draft: Draft) -> Seen | None:
    """The reminder that the same request made before, or that says the same by now. Raises `Conflict`."""
    id = await _live(tx, account_id, draft)
    if id is None:
        return None
    seen = await see(tx, account_id=account_id, id=id)
    if draft.fingerprint() not in {seen.reminder.fingerprint, draft_of(seen.reminder).fingerprint()}:
        raise _duplicate(id)
    return seen


async def _check_free(tx: Connection, reminder: Reminder, draft: Draft) -> None:
    id = await _live(tx, reminder.account_id, draft)
    if id not in {None, reminder.id}:
        raise _duplicate(id)


async def _live(tx: Connection, account_id: UUID, draft: Draft) -> UUID | None:
    if draft.external_id is None or draft.contact_id is None:
        return None
    return await store.live(tx, account_id=account_id, contact_id=draft.contact_id, external_id=draft.external_id)


def _duplicate(id: UUID | None) -> Conflict:
    details = {} if id is None else {"uuid": str(id)}
    return Conflict("duplicate_external_event", "this phone has another reminder with this externalEventId", details)


async def _check_eligible(tx: Connection, contact: Contact, draft: Draft) -> None:
    """B-231, as far as it can be known; the number is possible, or it would not have been read."""
    if await consents.get(tx, draft.address, account_id=contact.account_id) is not None:
        raise _not_eligible("opted_out")
    if draft.category is Category.MARKETING and not contact.marketing_consent:
        raise _not_eligible("no_marketing_consent")


def _not_eligible(reason: str) -> Conflict:
    return Conflict("subscriber_not_eligible", "this phone may not be written to", {"reason": reason})


def _check_mine(reminder: Reminder) -> None:
    if reminder.door != DOOR or "about" in reminder.details:
        raise NotFound("reminder")
