"""What the end of an attempt, a lost worker or a missed time makes of a reminder: the step, what history says,
and the events. Pure; `shared.runtime.ledger` loads the case and writes the settlement in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.domain.account import CatchUp, Policy
from shared.domain.events import (
    Event,
    MessageAttemptFailed,
    MessageFailed,
    MessageOptedOut,
    MessageSent,
    MessageSkipped,
    MessageUncertain,
    ReminderCompleted,
    ReminderExpired,
    ReminderReactivated,
)
from shared.domain.occurrence import UNFINISHED, Occurrence, State, Step, after, after_lost_worker
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.plan import Planned
from shared.domain.provider import LOOKED_UP
from shared.domain.reminder import Action, HistoryEntry, Progress, Status, status_after
from shared.domain.schedule import BadTime, Every

BARS: Final = frozenset({"opted_out", "no_marketing_consent"})
"""Why a recipient may not be written to. It ends a send as a failure, not as a rule of the account would (B-146)."""

FIRST_LOOK_UP: Final = timedelta(seconds=5)
"""After an answer was lost, the time until its provider is asked whether it has the message: not at once, because the
call may still be under way there."""


@dataclass(frozen=True, slots=True)
class Case:
    """One occurrence that ends or tries again, with all that the decision needs."""

    occurrence: Occurrence
    progress: Progress
    policy: Policy
    next_send_at: datetime | None
    """The reminder's next planned time after this one."""
    attempt_id: UUID | None
    provider: str
    started_at: datetime | None
    barred: str | None = None
    """Why its recipient may not be written to now: one of `BARS`."""
    recurrence: Every | None = None
    """The schedule of a reminder whose next send is planned when one ends."""
    last_seq: int = 1
    """The highest `seq` of the reminder's sends."""
    segments: int | None = None
    """SMS segments that it took from the account's quota."""
    replaced: bool = False
    """Its caller gave other times while it was under way."""
    ended_by_parking: bool = False
    """Its reminder ended because this send was parked, and nobody has changed it since."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be written for one case."""

    case: Case
    step: Step
    status: Status
    last_send_at: datetime | None
    last_attempts: int
    history: tuple[HistoryEntry, ...]
    events: tuple[Event, ...]
    outcome: str | None
    """The attempt's outcome as a word, or None where no call was made."""
    code: str | None = None
    planned: tuple[int, Planned] | None = None
    """The send of an `Every` that follows the one that ended, with its `seq`."""

    @property
    def look_up_at(self) -> datetime | None:
        """When the provider is asked what became of this attempt; None where there is no doubt, or nobody to ask."""
        open_still = self.step.state in {State.SCHEDULED, State.UNCERTAIN}
        in_doubt = open_still and self.outcome in {"unknown", "error"} and not self.case.occurrence.takes_key
        return self.history[0].at + FIRST_LOOK_UP if in_doubt and self.case.provider in LOOKED_UP else None


def settle_attempt(case: Case, outcome: Outcome, *, now: datetime, random: float, error: bool = False) -> Settlement:
    """What an answer makes of its attempt; `error`: the outcome stands for an unexpected exception of ours."""
    if isinstance(outcome, Unknown) and case.occurrence.takes_key:
        outcome = Failed(outcome.reason, outcome.code, ambiguous=True)
    step = after(
        case.occurrence, outcome, now=now, policy=case.policy, next_send_at=_next_send_at(case, now), random=random
    )
    step = _no_retry_of_ended(case, step, now)
    word = "error" if error else type(outcome).__name__.lower()
    action = _action(outcome, error=error)
    history, events = [(action, _detail(case, outcome, step))], _attempt_events(case, outcome, step, now)
    if isinstance(outcome, Rejected) and outcome.opted_out:
        events.append(_event(MessageOptedOut, case))
    return _settlement(case, step, now, history, events, outcome=word, code=getattr(outcome, "code", None))


def settle_lost(case: Case, *, now: datetime) -> Settlement:
    """What the loss of its worker makes of an attempt whose lease ran out."""
    step = _no_retry_of_ended(case, after_lost_worker(case.occurrence, now=now, policy=case.policy), now)
    detail = f"Attempt {case.occurrence.attempt}: outcome unknown, the worker was lost while sending"
    events = _attempt_events(case, Unknown("the worker was lost while sending"), step, now)
    return _settlement(case, step, now, [(Action.SEND_ERROR, detail)], events, outcome="unknown")


def settle_missed(case: Case, step: Step, *, now: datetime) -> Settlement:
    """What `misfire` made of an occurrence that was never tried, or no longer may be."""
    return _settlement(case, step, now, [], [], outcome=None)


def settle_closed(case: Case, step: Step, *, now: datetime) -> Settlement:
    """What giving up a parked send makes of it: its attempt stays one whose answer was lost."""
    return replace(_settlement(case, step, now, [], [], outcome="unknown"), outcome=None)


def _no_retry_of_ended(case: Case, step: Step, now: datetime) -> Step:
    """A time that a caller ended or replaced, and a parked send whose time is over, get no further try."""
    if step.ended:
        return step
    over = case.progress.status is not Status.ACTIVE
    if case.occurrence.state is not State.UNCERTAIN:
        return replace(step, state=State.CANCELLED, due_at=None) if over or case.replaced else step
    if (over and not case.ended_by_parking) or case.replaced or now - case.occurrence.scheduled_for > case.policy.grace:
        return replace(step, state=State.SKIPPED, due_at=None, reason=f"proved unsent too late: {step.reason}")
    return step


def _action(outcome: Outcome, *, error: bool) -> Action:
    if isinstance(outcome, Accepted):
        return Action.SENT
    return Action.SEND_ERROR if error or isinstance(outcome, Unknown) else Action.SEND_FAILED


def _detail(case: Case, outcome: Outcome, step: Step) -> str:
    if isinstance(outcome, Accepted):
        return f"Message sent by {case.provider}"
    code = f" (code {outcome.code})" if outcome.code else ""
    doubt = "outcome unknown, " if isinstance(outcome, Unknown) else ""
    parked = "; parked, not repeated" if step.state is State.UNCERTAIN else ""
    return f"Attempt {case.occurrence.attempt} by {case.provider}: {doubt}{outcome.reason}{code}{parked}"


def _event(kind: type[Event], case: Case, **facts: object) -> Event:
    return kind(  # type: ignore[call-arg]
        reminder_id=case.progress.id,
        external_id=case.progress.external_id,
        occurrence_id=case.occurrence.id,
        channel=case.progress.channel,
        attempt=case.occurrence.attempt,
        scheduled_for=case.occurrence.scheduled_for,
        **facts,
    )


def _attempt_events(case: Case, outcome: Outcome, step: Step, now: datetime) -> list[Event]:
    if isinstance(outcome, Accepted):
        message_id = outcome.provider_message_id
        return [_event(MessageSent, case, provider=case.provider, provider_message_id=message_id, sent_at=now)]
    if step.state is State.UNCERTAIN:
        return [_event(MessageUncertain, case, provider=case.provider, reason=outcome.reason)]
    reason = f"provider unavailable: {outcome.reason}" if isinstance(outcome, Unavailable) else outcome.reason
    return [_event(MessageAttemptFailed, case, provider=case.provider, reason=reason, retry_at=step.due_at)]


def _settlement(
    case: Case,
    step: Step,
    now: datetime,
    history: list[tuple[Action, str]],
    events: list[Event],
    *,
    outcome: str | None,
    code: str | None = None,
) -> Settlement:
    """The parts that every end has: what history and events say of the end, and the reminder's new standing."""
    reason = step.reason or ""
    match step.state:
        case State.SKIPPED if outcome is None and reason not in BARS:
            history.append((Action.SKIPPED, f"Send time skipped: {reason}"))
            events.append(_event(MessageSkipped, case, reason=reason))
        case State.SKIPPED:
            history.append((Action.SKIPPED, f"Send time skipped: {reason}"))
            events.append(_event(MessageFailed, case, reason=reason))
        case State.EXPIRED:
            history.append((Action.EXPIRED, f"Send time expired: {reason}"))
            events.append(_event(MessageFailed, case, reason=f"expired: {reason}"))
        case State.CANCELLED:
            events.append(_event(MessageFailed, case, reason=f"cancelled: {reason}"))
        case _:
            pass
    planned = _plan_next(case, step, now)
    status = status_after(case.progress, step.state) if step.ended and planned is None else case.progress.status
    if not step.ended and status is not Status.ACTIVE:
        history.append((Action.STATUS_CHANGED, f"Status changed from {status} to {Status.ACTIVE}: proved unsent"))
        status = Status.ACTIVE
    events.extend(_reminder_changes(case.progress, status, step))
    return Settlement(
        case=case,
        step=step,
        status=status,
        last_send_at=now if step.state is State.SENT else case.progress.last_send_at,
        last_attempts=0 if step.ended else step.failures,
        history=tuple(HistoryEntry(now, action, detail, status) for action, detail in history),
        events=tuple(events),
        outcome=outcome,
        code=code,
        planned=planned,
    )


def _plan_next(case: Case, step: Step, now: datetime) -> tuple[int, Planned] | None:
    """What follows the end of an `Every`'s last planned send; in the same transaction, so that none is forgotten.

    A send that had ended before, and is resolved by a late answer, was followed then.
    """
    over = step.ended and case.occurrence.state in UNFINISHED and case.progress.unfinished_elsewhere == 0
    if case.recurrence is None or not over or case.progress.status is not Status.ACTIVE:
        return None
    try:
        at = following(case.recurrence, case.occurrence.scheduled_for, case.policy, now=now)
        return case.last_seq + 1, Planned(at)
    except BadTime:  # the calendar ends: this was the last one
        return None


def _next_send_at(case: Case, now: datetime) -> datetime | None:
    if case.recurrence is None or case.next_send_at is not None:
        return case.next_send_at
    try:
        return case.recurrence.first_after(max(case.occurrence.scheduled_for, now))
    except BadTime:
        return None


def following(every: Every, ended: datetime, policy: Policy, *, now: datetime) -> datetime:
    """What is planned after the send for `ended`. Raises `BadTime` where the calendar ends.

    Of several missed times the latest goes out late, unless the account wants all of them, or none (B-264).
    """
    match policy.catch_up:
        case CatchUp.ALL:
            return every.first_after(max(ended, now - policy.grace))
        case CatchUp.NONE:
            return every.first_after(max(ended, now))
        case _:
            return every.following(ended, now=now, grace=policy.grace)


def _reminder_changes(progress: Progress, status: Status, step: Step) -> Sequence[Event]:
    if status is progress.status:
        return ()
    if status is Status.ACTIVE:
        return (ReminderReactivated(progress.id, progress.external_id, next_send_at=step.due_at),)
    kind = ReminderCompleted if status is Status.COMPLETED else ReminderExpired
    return (kind(reminder_id=progress.id, external_id=progress.external_id),)
