"""What a caller's change makes of a reminder: contents, times, status (B-035 to B-041, B-068 to B-073).

Nothing is written before everything that may refuse has been asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.api.core.policy import Core
from services.api.core.reminders import Held, Seen, see
from services.api.core.templates import check_template
from shared.domain.account import Configuration
from shared.domain.draft import Draft, Reminder, draft_of
from shared.domain.events import (
    Event,
    ReminderCancelled,
    ReminderCompleted,
    ReminderExpired,
    ReminderReactivated,
    ReminderUpdated,
)
from shared.domain.occurrence import State
from shared.domain.plan import Planned, Replan, outcome_of_cancelling, replan, resumable, spent
from shared.domain.refusal import Conflict
from shared.domain.reminder import Action, CancelOutcome, HistoryEntry, Status
from shared.domain.schedule import to_json
from shared.store import drafts, history, outbox, plans
from shared.store import reminders as store
from shared.store.database import Connection
from shared.store.outbox import Recorded


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller asks for; None leaves as it is."""

    draft: Draft | None = None
    status: Status | None = None
    dated: datetime | None = None
    """The caller's own date of a change of status: it stands in the history and orders nothing (B-037)."""
    sends: Sequence[Planned] | None = None
    """What is to be sent from now on in place of what waits, ascending; a reminder that was over goes on with it."""
    note: str | None = None
    """What the history says, in place of the usual words."""
    over_too: bool = False
    """Cancel a reminder that was completed or expired, where its status says more than what became of its sends."""


@dataclass(frozen=True, slots=True)
class Changed:
    seen: Seen
    cancel_outcome: CancelOutcome | None
    """What an end came in time for, where one was asked for."""


@dataclass(slots=True)
class _Story:
    """What will be written at the end, gathered on the way."""

    status: Status
    entries: list[tuple[Action, str, datetime]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    next_send_at: datetime | None = None
    afresh: bool = False

    def tell(self, action: Action, detail: str, at: datetime) -> None:
        self.entries.append((action, detail, at))


async def change_reminder(
    tx: Connection, core: Core, configuration: Configuration, held: Held, change: Change, *, now: datetime
) -> Changed:
    """Change a held reminder. Raises `Invalid` where no template fits, `Conflict` where nothing is left to send."""
    reminder = held.reminder
    before = draft_of(reminder)
    draft = change.draft or before
    status = _status_after(reminder, change)
    outcome = outcome_of_cancelling(held.places) if change.status not in {None, Status.ACTIVE} else None
    rewritten = draft != before or to_json(draft.schedule) != reminder.schedule_json
    if not rewritten and status is reminder.status and change.sends is None:
        return Changed(await see(tx, account_id=reminder.account_id, id=reminder.id), outcome)
    if draft.template_name and (draft.template_name, draft.parameters) != (before.template_name, before.parameters):
        await check_template(tx, core, configuration, name=draft.template_name, parameters=draft.parameters)
    plan = _plan(configuration, held, draft, status, now) if change.sends is None else replan(held.places, change.sends)

    story = _Story(status, next_send_at=reminder.next_send_at)
    if rewritten:
        await drafts.replace(tx, draft, account_id=reminder.account_id, id=reminder.id, now=now)
    if draft.address != before.address:
        await plans.new_keys(tx, [reminder.id], account_id=reminder.account_id)
    if rewritten or change.note:
        story.tell(Action.UPDATED, change.note or "Changed by the caller", now)
    if plan is not None:
        await _carry_out(tx, held, plan, now=now, reason="replaced" if status is Status.ACTIVE else status.value)
        story.next_send_at = _first(held, plan)
    told = rewritten or change.note is not None
    _judge(story, held, outcome, plan, rewritten=told, dated=change.dated or now)
    await _write(tx, reminder, story, now=now)
    return Changed(await see(tx, account_id=reminder.account_id, id=reminder.id), outcome)


def _status_after(reminder: Reminder, change: Change) -> Status:
    """Cancelling what is over changes nothing, unless it is said to (B-041 and decision 2)."""
    if change.sends is not None:
        return Status.ACTIVE
    over = reminder.status is not Status.ACTIVE and not change.over_too
    if change.status is None or (change.status is Status.CANCELLED and over):
        return reminder.status
    return change.status


def _plan(configuration: Configuration, held: Held, draft: Draft, status: Status, now: datetime) -> Replan | None:
    """How the planned sends change; None where they stay. Raises `Conflict`."""
    was = held.reminder.status
    if status is not Status.ACTIVE:
        return replan(held.places, ()) if was is Status.ACTIVE else None
    if was is Status.ACTIVE and not draft.texts and draft.schedule == held.reminder.schedule:
        return None
    done = frozenset(at for _, at in spent(held.places))
    wanted = draft.planned(now=now, late_booking=configuration.late_booking, but=done)
    if was is Status.ACTIVE:
        return replan(held.places, wanted)
    left = resumable(held.places, wanted, now=now)
    if not left:
        raise Conflict(
            "nothing_left_to_send",
            "every send time is over; give new sendTimes in the future to activate it again",
            {"id": held.reminder.external_id},
        )
    return replan(held.places, left)


async def _carry_out(tx: Connection, held: Held, plan: Replan, *, now: datetime, reason: str) -> None:
    account_id, reminder_id = held.reminder.account_id, held.reminder.id
    await plans.stop(tx, plan.dropped, account_id=account_id, now=now, reason=reason)
    await plans.move(tx, plan.moved, account_id=account_id)
    await plans.add(tx, plan.added, account_id=account_id, reminder_id=reminder_id, now=now)
    await plans.ring_if_soon(tx, _first(held, plan), now=now)


def _first(held: Held, plan: Replan) -> datetime | None:
    """The earliest send that is still to be made."""
    moved = {id for id, _, _ in plan.moved}
    instants = [planned.at for _, planned in plan.added if planned.skipped is None]
    instants += [p.scheduled_for for p in held.places if p.id in moved or p.state is State.SENDING]
    return min(instants, default=None)


def _judge(
    story: _Story, held: Held, outcome: CancelOutcome | None, plan: Replan | None, *, rewritten: bool, dated: datetime
) -> None:
    """Settle the status, and say what happened."""
    reminder = held.reminder
    if rewritten:
        story.events.append(_event(ReminderUpdated, reminder, next_send_at=story.next_send_at))
    sending = any(place.state is State.SENDING for place in held.places)
    if story.status is Status.ACTIVE and plan is not None and not plan.left and not sending:
        # The new list holds nothing that is still to be sent.
        story.status = Status.COMPLETED if reminder.sent else Status.EXPIRED
    if story.status is reminder.status:
        return
    story.tell(Action.STATUS_CHANGED, f"Status changed from {reminder.status} to {story.status}", dated)
    match story.status:
        case Status.ACTIVE:
            story.afresh = True
            story.events.append(_event(ReminderReactivated, reminder, next_send_at=story.next_send_at))
        case Status.CANCELLED:
            came_for = (outcome or CancelOutcome.PREVENTED).value
            story.events.append(_event(ReminderCancelled, reminder, outcome=came_for))
        case Status.COMPLETED:
            story.events.append(_event(ReminderCompleted, reminder))
        case Status.EXPIRED:
            story.events.append(_event(ReminderExpired, reminder))


def _event(kind: type[Event], reminder: Reminder, **facts: object) -> Event:
    return kind(reminder_id=reminder.id, external_id=reminder.external_id, **facts)  # type: ignore[call-arg]


async def _write(tx: Connection, reminder: Reminder, story: _Story, *, now: datetime) -> None:
    await store.stand(
        tx,
        account_id=reminder.account_id,
        id=reminder.id,
        status=story.status,
        sequence=reminder.sequence + len(story.events),
        afresh=story.afresh,
        now=now,
    )
    entries = [HistoryEntry(at, action, detail, story.status) for action, detail, at in story.entries]
    await history.append(tx, [(reminder.id, entry) for entry in entries])
    numbered = enumerate(story.events, start=reminder.sequence + 1)
    await outbox.append(tx, [Recorded(event, reminder.account_id, now, sequence) for sequence, event in numbered])
