"""Keeps planned sends in step with the contacts that they are for, and with the campaigns (B-098, B-135)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration
from services.api.core.policy import Core
from services.api.core.reminders import Held, hold, new_reminder, tell_of_new
from shared.domain.account import Configuration
from shared.domain.campaign import Where, address_of, times_to_send
from shared.domain.contact import Contact
from shared.domain.draft import Draft
from shared.domain.macros import fill
from shared.domain.occurrence import Kind
from shared.domain.plan import spent
from shared.domain.reminder import Status
from shared.domain.schedule import Times, zone
from shared.store import contacts as store
from shared.store import drafts, enrollments, occurrences, plans
from shared.store.database import Connection
from shared.store.enrollments import Arming

DOOR: Final = "campaigns"

_NOTE: Final = "Planned anew after its contact or campaign changed"


async def retarget(tx: Connection, contact: Contact, *, now: datetime) -> None:
    """Send what is still to be sent to a contact's new phone or e-mail."""
    moved = await store.retarget(tx, contact, now=now)
    await plans.new_keys(tx, moved, account_id=contact.account_id)


async def rearm_contact(
    tx: Connection, core: Core, contact: Contact, *, now: datetime, only: Sequence[UUID] | None = None
) -> None:
    """Plan the sends of a held contact's enrolments anew, after its due date or what they say of it changed.

    `only` are the ids of those enrolments that are meant; None is all. What was sent is never planned again.
    """
    found = await enrollments.armings(tx, account_id=contact.account_id, contact_id=contact.id, ids=only)
    if not found:
        return
    await _hold(tx, (arming.reminder_id for arming in found), account_id=contact.account_id)
    configuration = await get_configuration(tx, account_id=contact.account_id)
    for arming in found:
        await _arm(tx, core, configuration, arming, contact, now=now)


async def rearm_stale(
    tx: Connection, core: Core, contact_ids: Sequence[UUID], *, account_id: UUID, now: datetime
) -> int:
    """Arm the stale enrolments of these contacts, those left out that others hold; returns how many."""
    held = await enrollments.hold_contacts(tx, contact_ids, account_id=account_id)
    fresh = await enrollments.freshen(tx, [contact.id for contact in held], account_id=account_id)
    await _hold(tx, (one.reminder_id for one in fresh), account_id=account_id)
    for contact in held:
        only = [one.id for one in fresh if one.contact_id == contact.id]
        await rearm_contact(tx, core, contact, now=now, only=only)
    if fresh:
        await occurrences.ring(tx)  # what was not claimed while it was stale may be due
    return len(fresh)


async def _hold(tx: Connection, reminder_ids: Iterable[UUID | None], *, account_id: UUID) -> None:
    """Lock all that is to be planned anew before any of it, as others lock in the order of ids."""
    known = [id for id in reminder_ids if id is not None]
    if known:
        await plans.hold_all(tx, account_id=account_id, reminder_ids=known)


async def _arm(
    tx: Connection, core: Core, configuration: Configuration, arming: Arming, contact: Contact, *, now: datetime
) -> None:
    campaign = arming.campaign
    held = await hold(tx, account_id=contact.account_id, id=arming.reminder_id) if arming.reminder_id else None
    where = Where(zone(contact.time_zone or arming.time_zone), arming.reminder_hour, configuration.dst)
    address = address_of(campaign.channel, contact)
    places = held.places if held else ()
    times = times_to_send(campaign, contact.next_due, where, places, now=now) if address else ()
    if held is not None:
        draft = _draft(arming, contact, address or held.reminder.address, times, where)
        await _replan(tx, core, configuration, held, draft, now=now)
    elif times and address:
        draft = _draft(arming, contact, address, times, where)
        new = new_reminder(
            configuration, draft, door=DOOR, detail="Planned for a campaign", now=now, enrollment_id=arming.id
        )
        await drafts.insert(tx, [new])
        await tell_of_new(tx, [new], now=now)


async def _replan(
    tx: Connection, core: Core, configuration: Configuration, held: Held, draft: Draft, *, now: datetime
) -> None:
    """An ended reminder goes on where new times lie ahead, unless somebody cancelled it."""
    status = held.reminder.status
    if status is Status.ACTIVE:
        await change_reminder(tx, core, configuration, held, Change(draft, note=_NOTE), now=now)
        return
    done = spent(held.places)
    ahead = any(planned.at > now and (planned.kind, planned.at) not in done for planned in draft.planned(now=now))
    if ahead and status is not Status.CANCELLED:
        await change_reminder(tx, core, configuration, held, Change(draft, Status.ACTIVE, note=_NOTE), now=now)


def _draft(arming: Arming, contact: Contact, address: str, times: Sequence[datetime], where: Where) -> Draft:
    campaign = arming.campaign
    text = fill(campaign.body, contact, where.zone)
    return Draft(
        external_id=None,
        channel=campaign.channel,
        address=address,
        schedule=Times.of(times),
        time_zone=where.zone.key,
        recipient_name=" ".join(filter(None, (contact.first_name, contact.last_name))) or None,
        text=text,
        subject=" ".join(fill(campaign.subject, contact, where.zone).split()) if campaign.subject else None,
        texts={Kind.MAIN: text},
        category=campaign.category,
        contact_id=contact.id,
        details={"campaign_id": str(campaign.id)},
    )
