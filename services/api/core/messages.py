"""One-time messages to contacts (B-138 to B-146)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.api.core.caller import Caller
from services.api.core.configurations import get_configuration
from services.api.core.contacts import hold_contact
from services.api.core.reminders import new_reminder, tell_of_new
from shared.domain.campaign import address_of, missing_address
from shared.domain.contact import Contact
from shared.domain.draft import Draft
from shared.domain.recipient import Channel
from shared.domain.refusal import Forbidden, NotFound, QuotaExceeded
from shared.domain.schedule import Times
from shared.domain.segments import quota_resets_in, segments
from shared.store import drafts, quota
from shared.store import messages as store
from shared.store.database import Connection
from shared.store.messages import Message

__all__ = ["Message", "get_message", "parts_of", "send_message"]

DOOR = "campaigns"


async def send_message(
    tx: Connection,
    caller: Caller,
    *,
    contact_id: UUID | None,
    channel: Channel,
    body: str,
    subject: str | None,
    now: datetime,
) -> Message:
    """A message that is queued at once; it is transactional: only an opt-out stops it (B-146).

    SMS segments are taken from the account's quota here, and given back where it ends unsent (B-143). Raises
    `Forbidden` without a paid plan, `NotFound` for the contact, or with a reason where it cannot be reached on this
    channel (B-144), and `QuotaExceeded`.
    """
    if caller.plan == "free":
        raise Forbidden("plan_required", "one-time messages need a paid plan")
    if contact_id is None:  # nobody's id
        raise NotFound("contact")
    contact = await hold_contact(tx, account_id=caller.account_id, id=contact_id)
    address = address_of(channel, contact)
    if address is None:
        raise NotFound("contact", reason=(missing_address(channel, contact) or "").upper())
    counted = segments(body) if channel is Channel.SMS else None
    if counted and not await quota.take(tx, counted, account_id=caller.account_id, now=now):
        raise QuotaExceeded(quota_resets_in(now))
    configuration = await get_configuration(tx, account_id=caller.account_id)
    draft = _draft(caller, contact, address, channel=channel, body=body, subject=subject, now=now)
    new = new_reminder(configuration, draft, door=DOOR, detail="A one-time message", now=now, segments=counted)
    await drafts.insert(tx, [new])
    await tell_of_new(tx, [new], now=now)
    return _found(await store.first_of(tx, account_id=caller.account_id, reminder_id=new.id))


def _draft(
    caller: Caller, contact: Contact, address: str, *, channel: Channel, body: str, subject: str | None, now: datetime
) -> Draft:
    return Draft(
        external_id=None,
        channel=channel,
        address=address,
        schedule=Times.of([now]),
        time_zone=contact.time_zone or caller.time_zone,
        recipient_name=" ".join(filter(None, (contact.first_name, contact.last_name))) or None,
        text=body,
        subject=subject,
        contact_id=contact.id,
    )


async def get_message(db: Connection, *, account_id: UUID, id: UUID) -> Message:
    """Any planned send of the account, by the id that webhooks tell. Raises `NotFound`."""
    return _found(await store.get(db, account_id=account_id, id=id))


def parts_of(message: Message) -> int:
    """As how many it is sent: SMS segments, and one on any other channel."""
    return segments(message.body) if message.channel is Channel.SMS and message.body else 1


def _found(message: Message | None) -> Message:
    if message is None:
        raise NotFound("message")
    return message
