"""Messages about an appointment itself: that it was booked, that it was called off (C-23).

Each is a reminder of its own, due at once, whose details name the appointment; no list or path shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.core.appointment_types import messages_of
from services.api.core.changes import Change, change_reminder
from services.api.core.policy import Core
from services.api.core.reminders import hold, new_reminder, tell_of_new
from shared.domain.account import Configuration
from shared.domain.booking import Booking, MessageType, around_of, text_of
from shared.domain.draft import Draft, Reminder, draft_of
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid
from shared.domain.reminder import Status
from shared.domain.schedule import Times
from shared.store import appointments as store
from shared.store import drafts, plans
from shared.store.database import Connection

DOOR: Final = "appointments"


async def tell(
    tx: Connection,
    configuration: Configuration,
    about: Reminder,
    kind: MessageType,
    texts: Mapping[MessageType, str],
    *,
    now: datetime,
) -> None:
    """Send one message about an appointment that is still to come, where `texts` has such a one."""
    if kind not in texts or around_of(draft_of(about)).event_at <= now:
        return
    draft = Draft(
        external_id=None,
        channel=Channel.SMS,
        address=about.address,
        national_digits=about.national_digits,
        schedule=Times.of([now]),
        time_zone=about.time_zone,
        text=texts[kind],
        contact_id=about.contact_id,
        details={"about": str(about.id), "message": kind.value},
    )
    new = new_reminder(configuration, draft, door=DOOR, detail=f"{kind} of an appointment", now=now)
    await drafts.insert(tx, [new])
    await tell_of_new(tx, [new], now=now)


async def hold_told(tx: Connection, *, account_id: UUID, id: UUID) -> Sequence[UUID]:
    """The messages that an appointment's booking sent and that are not over, locked with the appointment itself.

    All at once, and before anything else is locked: others lock in the order of ids.
    """
    told = await store.told_at_booking(tx, account_id=account_id, id=id)
    if told:
        await plans.hold_all(tx, account_id=account_id, reminder_ids=[id, *told])
    return told


async def stop_told(
    tx: Connection, core: Core, configuration: Configuration, told: Sequence[UUID], *, now: datetime
) -> None:
    """Send no more of these held messages: nobody is told of a booking after it was called off (B-243)."""
    for id in told:
        held = await hold(tx, account_id=configuration.account_id, id=id)
        await change_reminder(tx, core, configuration, held, Change(status=Status.CANCELLED), now=now)


async def tell_of_cancel(tx: Connection, configuration: Configuration, about: Reminder, *, now: datetime) -> None:
    """Send the cancellation message, where one is registered and can be made: a cancel never fails for it."""
    booking = Booking.of(about.details)
    try:
        messages = await messages_of(tx, account_id=about.account_id, type_id=booking.type_id)
        text = text_of(MessageType.CANCELLATION, messages, booking.metadata)
    except Invalid:
        return
    await tell(tx, configuration, about, MessageType.CANCELLATION, {MessageType.CANCELLATION: text}, now=now)
