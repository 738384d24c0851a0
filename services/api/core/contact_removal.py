"""Removing a contact, from whichever door: with it goes what was planned for it (B-129).

Here and not in `contacts`, which reminders' own verbs build on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration_by_row
from services.api.core.policy import Core
from services.api.core.reminders import hold
from shared.domain.contact import Contact
from shared.domain.events import ContactDeleted, ReminderDeleted
from shared.domain.reminder import CancelOutcome, Status
from shared.store import consents, contact_upkeep, erasure, outbox, plans, quota
from shared.store import contacts as store
from shared.store.contact_upkeep import Owned
from shared.store.database import Connection
from shared.store.outbox import Recorded

_ABOUT_IT: Final = "crm"
"""The door whose reminders mean nothing without their contact."""


async def remove_contact(tx: Connection, core: Core, held: Contact, *, erase: bool = False, now: datetime) -> None:
    """Remove a held contact for good, with its consents, enrolments and reminders of the CRM door.

    Its other reminders stay as a record, without it; those that wait are cancelled, so that nothing more is sent.
    `erase` removes them too, with their history, attempts and webhook deliveries, and so whatever any door was asked
    to send to the contact's phone or e-mail. Opt-outs stay, as digests: who asked to be left alone still is.
    """
    account_id = held.account_id
    owned = await _owned(tx, held, erase=erase)
    await plans.hold_all(tx, account_id=account_id, reminder_ids=[one.id for one in owned])
    live = [one for one in owned if one.door != _ABOUT_IT and one.status is Status.ACTIVE]
    await quota.give_back(tx, [one.id for one in live if await _cancel(tx, core, one, account_id, now=now)])
    await _erase(tx, [one.id for one in owned if erase or one.door == _ABOUT_IT], account_id, now=now)
    await store.delete(tx, account_id=account_id, id=held.id)
    if erase:
        addresses = [address for address in (held.phone, held.email) if address]
        await consents.erase(tx, addresses, account_id=account_id)
        await erasure.forget(tx, [held.id, *(one.id for one in owned)], addresses, account_id=account_id)
    event = ContactDeleted(contact_id=held.id, deleted_at=now)
    await outbox.append(tx, [Recorded(event, account_id, now, held.sequence + 1)])


async def _owned(tx: Connection, held: Contact, *, erase: bool) -> list[Owned]:
    if erase:
        return await erasure.reminders(
            tx, account_id=held.account_id, contact_id=held.id, phone=held.phone, email=held.email
        )
    return await contact_upkeep.reminders(tx, account_id=held.account_id, contact_id=held.id)


async def _cancel(tx: Connection, core: Core, one: Owned, account_id: UUID, *, now: datetime) -> bool:
    """Whether nothing of it was sent, nor will be."""
    configuration = await get_configuration_by_row(tx, account_id=account_id, id=one.configuration_id)
    reminder = await hold(tx, account_id=account_id, id=one.id)
    changed = await change_reminder(tx, core, configuration, reminder, Change(status=Status.CANCELLED), now=now)
    return changed.cancel_outcome is CancelOutcome.PREVENTED and changed.seen.reminder.sent == 0


async def _erase(tx: Connection, reminder_ids: Sequence[UUID], account_id: UUID, *, now: datetime) -> None:
    if not reminder_ids:
        return
    gone = await contact_upkeep.erase(tx, reminder_ids, account_id=account_id, now=now)
    told = [
        Recorded(ReminderDeleted(reminder_id=id, external_id=external_id, deleted_at=now), account_id, now, sequence)
        for id, external_id, sequence in gone
    ]
    await outbox.append(tx, told)
