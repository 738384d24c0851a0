"""Reminders: create, find, hold, delete. What a change makes of one is in `changes`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from structlog.contextvars import bind_contextvars
from uuid_utils.compat import uuid7

from services.api.core.policy import Core
from services.api.core.templates import check_template
from shared.domain.account import DEFAULT_NAME, Configuration
from shared.domain.draft import Draft, Reminder
from shared.domain.events import ReminderCreated, ReminderDeleted
from shared.domain.plan import Place, Planned, outcome_of_cancelling
from shared.domain.recipient import Channel
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem
from shared.domain.reminder import Action, CancelOutcome, HistoryEntry, Status
from shared.domain.schedule import to_json
from shared.store import drafts, history, outbox, plans
from shared.store import reminders as store
from shared.store.database import Connection
from shared.store.drafts import NewReminder
from shared.store.outbox import Recorded
from shared.store.reminders import Address


@dataclass(frozen=True, slots=True)
class Seen:
    """A reminder as its caller sees it."""

    reminder: Reminder
    history: Sequence[HistoryEntry]


@dataclass(frozen=True, slots=True)
class Held:
    """A reminder and its planned sends, locked until the transaction ends."""

    reminder: Reminder
    places: Sequence[Place]


async def create_reminder(
    tx: Connection, core: Core, configuration: Configuration, draft: Draft, *, door: str, detail: str, now: datetime
) -> tuple[Seen, bool]:
    """The reminder, and whether it is new: the same request again finds the one that there is (B-031).

    Times in the past are taken like any (B-029). `detail` is the first history entry's. Raises `Invalid` where no
    template fits, `Conflict` where the caller's id stands for another reminder.
    """
    if draft.channel is Channel.EMAIL and "@" not in draft.address:
        raise Invalid([Problem("phone_number", "this configuration sends e-mail, which no phone number receives")])
    new = new_reminder(configuration, draft, door=door, detail=detail, now=now)
    if not await drafts.insert(tx, [new]):
        return await _existing(tx, configuration, draft), False
    if draft.template_name is not None:
        await check_template(tx, core, configuration, name=draft.template_name, parameters=draft.parameters)
    await tell_of_new(tx, [new], now=now)
    return Seen(_fresh(new), [new.entry]), True


def new_reminder(
    configuration: Configuration, draft: Draft, *, door: str, detail: str, now: datetime, **more: Any
) -> NewReminder:
    """The rows of a draft, not written yet; `more` are the fields of `NewReminder` that few doors know."""
    planned = draft.planned(now=now, late_booking=configuration.late_booking)
    new = NewReminder(
        id=uuid7(),
        account_id=configuration.account_id,
        configuration_id=configuration.id,
        door=door,
        draft=draft,
        planned=planned,
        entry=HistoryEntry(now, Action.CREATED, detail, Status.ACTIVE),
        created_at=now,
        **more,
    )
    bind_contextvars(reminder_id=str(new.id))
    return new


async def tell_of_new(tx: Connection, written: Sequence[NewReminder], *, now: datetime) -> None:
    """The first events of reminders just inserted; the schedulers are woken where something is due at once."""
    events, soonest = [], None
    for new in written:
        first = first_of(new.planned)
        event = ReminderCreated(reminder_id=new.id, external_id=new.draft.external_id, next_send_at=first)
        events.append(Recorded(event, new.account_id, now, 1))
        soonest = min(filter(None, (soonest, first)), default=None)
    await outbox.append(tx, events)
    await plans.ring_if_soon(tx, soonest, now=now)


def first_of(planned: Sequence[Planned]) -> datetime | None:
    """The first instant at which something is to be sent."""
    return min((one.at for one in planned if one.skipped is None), default=None)


async def _existing(tx: Connection, configuration: Configuration, draft: Draft) -> Seen:
    seen = await get_reminder(tx, configuration, draft.external_id or "")
    if seen.reminder.fingerprint != draft.fingerprint():
        raise Conflict("reminder_exists", "there is another reminder with this id", {"id": draft.external_id})
    return seen


def _fresh(new: NewReminder) -> Reminder:
    """What was just written, without reading it again; its number, which S3 alone shows, is not known yet."""
    draft = new.draft
    return Reminder(
        id=new.id,
        number=0,
        account_id=new.account_id,
        configuration_id=new.configuration_id,
        door=new.door,
        external_id=draft.external_id,
        channel=draft.channel,
        address=draft.address,
        country_code=draft.country_code,
        phone_number=draft.phone_number,
        national_digits=draft.national_digits,
        recipient_name=draft.recipient_name,
        template_name=draft.template_name,
        parameters=draft.parameters,
        text=draft.text,
        subject=draft.subject,
        category=draft.category,
        contact_id=draft.contact_id,
        enrollment_id=new.enrollment_id,
        birthday=new.birthday,
        details=dict(draft.details),
        schedule_json=to_json(draft.schedule),
        time_zone=draft.time_zone,
        status=new.status,
        fingerprint=draft.fingerprint(),
        sequence=1,
        last_send_at=None,
        last_attempts=0,
        created_at=new.created_at,
        updated_at=new.created_at,
        next_send_at=first_of(new.planned),
        last_sent_for=None,
        sent=0,
        skipped=0,
    )


async def get_reminder(db: Connection, configuration: Configuration, external_id: str) -> Seen:
    """Raises `NotFound`."""
    account_id = configuration.account_id
    reminder = await store.get(db, account_id=account_id, configuration_id=configuration.id, external_id=external_id)
    if reminder is None:
        raise NotFound("reminder")
    return await _seen(db, reminder)


async def see(db: Connection, *, account_id: UUID, id: UUID) -> Seen:
    """A reminder by our own id. Raises `NotFound`."""
    reminder = await store.get_by_id(db, account_id=account_id, id=id)
    if reminder is None:
        raise NotFound("reminder")
    return await _seen(db, reminder)


async def _seen(db: Connection, reminder: Reminder) -> Seen:
    bind_contextvars(reminder_id=str(reminder.id))
    told = await history.read(db, account_id=reminder.account_id, reminder_ids=[reminder.id])
    return Seen(reminder, told[reminder.id])


async def locate(
    db: Connection,
    *,
    account_id: UUID,
    external_id: str,
    agent_id: str | None,
    configuration_id: str | None,
    to_change: bool = False,
) -> UUID:
    """Our id of the reminder that an account calls so: its default configuration's, or the only one.

    Raises `NotFound`, and `Conflict` where several configurations have one and none of them is the default; or where
    it is `to_change`, no configuration is named and the default one has none (B-065).
    """
    found = await store.find(
        db,
        account_id=account_id,
        external_ids=[external_id],
        agent_id=agent_id,
        configuration_id=configuration_id,
    )
    return the_one(found, must_be_default=to_change and agent_id is None and configuration_id is None).id


def the_one(found: Sequence[Address], *, must_be_default: bool) -> Address:
    """The address that is meant where a caller names no configuration. Raises like `locate`.

    What changes or removes must not fall on another configuration's because the default's has gone already.
    """
    if not found:
        raise NotFound("reminder")
    default = [place for place in found if place.agent_id == place.configuration_id == DEFAULT_NAME]
    if not default and must_be_default:
        raise Conflict("ambiguous_id", "another configuration has this id; name its agentId and configurationId")
    if len(found) > 1 and not default:
        raise Conflict("ambiguous_id", "several configurations have this id; name agentId and configurationId")
    return default[0] if default else found[0]


async def hold(tx: Connection, *, account_id: UUID, id: UUID) -> Held:
    """Lock a reminder and its unfinished sends, and look at them: nothing of it starts until the end.

    Raises `NotFound`.
    """
    if not await store.lock(tx, account_id=account_id, id=id):
        raise NotFound("reminder")
    return await _look(tx, account_id, id)


async def hold_named(tx: Connection, configuration: Configuration, external_id: str) -> Held:
    """The same by the caller's id. Raises `NotFound`."""
    account_id = configuration.account_id
    id = await store.lock_named(tx, account_id=account_id, configuration_id=configuration.id, external_id=external_id)
    if id is None:
        raise NotFound("reminder")
    return await _look(tx, account_id, id)


async def _look(tx: Connection, account_id: UUID, id: UUID) -> Held:
    bind_contextvars(reminder_id=str(id))
    places = await plans.hold(tx, account_id=account_id, reminder_id=id)
    reminder = await store.get_by_id(tx, account_id=account_id, id=id)
    if reminder is None:
        raise NotFound("reminder")
    return Held(reminder, places)


async def delete_reminder(tx: Connection, held: Held, *, now: datetime) -> CancelOutcome:
    """Remove a held reminder for good (B-045); says what the removal came in time for."""
    reminder = held.reminder
    sequence = reminder.sequence + 1
    await store.delete(tx, account_id=reminder.account_id, id=reminder.id, sequence=sequence, now=now)
    event = ReminderDeleted(reminder_id=reminder.id, external_id=reminder.external_id, deleted_at=now)
    await outbox.append(tx, [Recorded(event, reminder.account_id, now, sequence)])
    return outcome_of_cancelling(held.places)
