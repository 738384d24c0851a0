"""What history and events say of an attempt's end, and where the reminder stands then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain_builders import NOON, RETRY, a_case, a_progress, an_occurrence, caught_up, outcomes, randoms

from shared.domain.account import CatchUp
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
from shared.domain.occurrence import State, unsendable
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.reminder import Action, Status
from shared.domain.settlement import BARS, Case, Settlement, settle_attempt, settle_lost, settle_missed

FAILED = Failed("no connection", "ECONNREFUSED")


def settled(outcome: Outcome, *, error: bool = False, at: datetime = NOON, **changes: Any) -> Settlement:
    return settle_attempt(a_case(**changes), outcome, now=at, random=0.5, error=error)


def actions(settlement: Settlement) -> list[Action]:
    return [entry.action for entry in settlement.history]


def kinds(settlement: Settlement) -> list[type[Event]]:
    return [type(event) for event in settlement.events]


def test_the_last_send_completes_the_reminder() -> None:
    """B-055, B-057, B-084."""
    done = settled(Accepted("m-1"), occurrence=an_occurrence(failures=3))
    assert (done.status, done.last_send_at, done.last_attempts) == (Status.COMPLETED, NOON, 0)
    assert actions(done) == [Action.SENT]
    assert kinds(done) == [MessageSent, ReminderCompleted]
    assert done.outcome == "accepted"


def test_a_send_with_another_time_to_come_moves_on() -> None:
    """B-054, B-057."""
    moved = settled(Accepted("m-1"), progress=a_progress(unfinished_elsewhere=1), next_send_at=NOON + timedelta(days=1))
    assert (moved.status, moved.last_attempts) == (Status.ACTIVE, 0)
    assert kinds(moved) == [MessageSent]


def test_a_failed_attempt_is_in_history_and_raises_the_counter() -> None:
    """B-057, B-084."""
    failed = settled(FAILED, occurrence=an_occurrence(failures=1, attempt=2))
    assert (failed.status, failed.last_attempts, failed.last_send_at) == (Status.ACTIVE, 2, None)
    assert actions(failed) == [Action.SEND_FAILED]
    assert kinds(failed) == [MessageAttemptFailed]
    assert "(code ECONNREFUSED)" in failed.history[0].detail
    assert failed.step.due_at == getattr(failed.events[0], "retry_at", None)


def test_the_fifth_failure_skips_the_time_and_the_reminder_goes_on() -> None:
    """B-056, B-057, B-084: the failure and the end are two entries, and `message.failed` comes once."""
    skipped = settled(FAILED, occurrence=an_occurrence(failures=4), progress=a_progress(unfinished_elsewhere=1))
    assert (skipped.step.state, skipped.status, skipped.last_attempts) == (State.SKIPPED, Status.ACTIVE, 0)
    assert actions(skipped) == [Action.SEND_FAILED, Action.SKIPPED]
    assert kinds(skipped) == [MessageAttemptFailed, MessageFailed]


def test_a_reminder_that_failed_to_the_end_expires() -> None:
    """B-059."""
    over = settled(FAILED, occurrence=an_occurrence(failures=4))
    assert over.status is Status.EXPIRED
    assert kinds(over) == [MessageAttemptFailed, MessageFailed, ReminderExpired]
    assert {entry.status for entry in over.history} == {Status.EXPIRED}


def test_an_unexpected_error_is_told_from_a_failure_and_counts_like_one() -> None:
    """B-084, B-085."""
    broken = settled(Failed("unexpected error: KeyError", ambiguous=True), error=True)
    assert (actions(broken), broken.last_attempts, broken.outcome) == ([Action.SEND_ERROR], 1, "error")


def test_a_lost_answer_that_is_parked_lets_the_reminder_go_on() -> None:
    """B-084, B-263."""
    parked = settled(Unknown("timeout"), occurrence=an_occurrence(takes_key=False))
    assert (parked.step.state, parked.outcome) == (State.UNCERTAIN, "unknown")
    assert parked.status is Status.EXPIRED
    assert actions(parked) == [Action.SEND_ERROR]
    assert parked.history[0].detail.endswith("outcome unknown, timeout; parked, not repeated")
    assert kinds(parked) == [MessageUncertain, ReminderExpired]


def test_a_lost_answer_under_a_key_is_a_failed_attempt() -> None:
    """B-263: nothing is uncertain where the repeat is harmless."""
    repeated = settled(Unknown("timeout"))
    assert (repeated.step.state, repeated.step.key_epoch, repeated.outcome) == (State.SCHEDULED, 0, "failed")
    assert actions(repeated) == [Action.SEND_FAILED]


def test_a_repeat_that_the_account_chose_is_marked_in_history() -> None:
    """B-263."""
    marked = settled(Unknown("timeout"), occurrence=an_occurrence(takes_key=False), policy=RETRY)
    assert marked.step.state is State.SCHEDULED
    assert actions(marked) == [Action.SEND_ERROR]
    assert "outcome unknown" in marked.history[0].detail


def test_a_lost_worker_is_an_error_that_counts_for_nothing() -> None:
    """B-085."""
    lost = settle_lost(a_case(occurrence=an_occurrence(failures=2), progress=a_progress(last_attempts=2)), now=NOON)
    assert (lost.step.state, lost.last_attempts, lost.outcome) == (State.SCHEDULED, 2, "unknown")
    assert actions(lost) == [Action.SEND_ERROR]


def test_a_recipient_who_opted_out_is_told_of_and_never_tried_again() -> None:
    """B-058."""
    refused = settled(Rejected("opted out", "21610", opted_out=True))
    assert refused.step.state is State.SKIPPED
    assert kinds(refused) == [MessageAttemptFailed, MessageOptedOut, MessageFailed, ReminderExpired]
    assert refused.code == "21610"


def test_refused_credentials_are_named_as_such() -> None:
    kept = settled(Unavailable("401"))
    assert (kept.step.state, kept.outcome, kept.last_attempts) == (State.SCHEDULED, "unavailable", 0)
    assert getattr(kept.events[0], "reason", "") == "provider unavailable: 401"


@pytest.mark.parametrize(
    ("lateness", "action", "event"),
    [(timedelta(hours=2), Action.EXPIRED, MessageFailed), (timedelta(minutes=5), Action.SKIPPED, MessageSkipped)],
)
def test_a_missed_time_leaves_one_entry_and_no_attempt(lateness: timedelta, action: Action, event: type[Event]) -> None:
    """B-061, B-264."""
    case, now = a_case(occurrence=an_occurrence(attempt=0, state=State.QUEUED)), NOON + lateness
    step = unsendable(case.occurrence, now=now, policy=caught_up(CatchUp.LATEST), later_is_due=True)
    assert step is not None
    missed = settle_missed(case, step, now=now)
    assert (actions(missed), missed.outcome, missed.last_attempts) == ([action], None, 0)
    assert kinds(missed) == [event, ReminderExpired]


@pytest.mark.parametrize("bar", sorted(BARS))
def test_b_146_who_may_not_be_written_to_is_told_of_as_failed(bar: str) -> None:
    """Not as left out by a rule of the account."""
    case = a_case(occurrence=an_occurrence(attempt=0, state=State.QUEUED), barred=bar)
    step = unsendable(case.occurrence, now=NOON, policy=case.policy, later_is_due=False, barred=bar)
    assert step is not None
    ended = settle_missed(case, step, now=NOON)
    assert (ended.step.state, actions(ended), kinds(ended)) == (
        State.SKIPPED,
        [Action.SKIPPED],
        [MessageFailed, ReminderExpired],
    )
    assert getattr(ended.events[0], "reason", "") == bar


def test_a_failure_after_a_cancel_is_not_retried() -> None:
    """B-039: `in_flight` was the answer, and the call failed."""
    ended = settled(FAILED, progress=a_progress(status=Status.CANCELLED))
    assert (ended.step.state, ended.step.due_at, ended.status) == (State.CANCELLED, None, Status.CANCELLED)
    assert kinds(ended) == [MessageAttemptFailed, MessageFailed]
    assert getattr(ended.events[0], "retry_at", "") is None


def test_a_success_after_a_cancel_is_told_and_changes_no_status() -> None:
    """B-039."""
    sent = settled(Accepted("m-1"), progress=a_progress(status=Status.CANCELLED))
    assert (sent.status, sent.last_send_at, kinds(sent)) == (Status.CANCELLED, NOON, [MessageSent])


def test_a_lost_worker_of_a_cancelled_reminder_is_not_repeated() -> None:
    """B-039."""
    assert settle_lost(a_case(progress=a_progress(status=Status.CANCELLED)), now=NOON).step.state is State.CANCELLED


PARKED = an_occurrence(state=State.UNCERTAIN, takes_key=False, failures=1)


def test_a_parked_send_that_was_sent_after_all_completes_the_reminder() -> None:
    """B-263."""
    proved = settled(Accepted("m-1"), occurrence=PARKED, progress=a_progress(status=Status.EXPIRED))
    assert (proved.step.state, proved.status) == (State.SENT, Status.COMPLETED)
    assert kinds(proved) == [MessageSent, ReminderCompleted]


def test_a_parked_send_that_is_proved_unsent_in_time_is_planned_again() -> None:
    """B-263."""
    again = settled(FAILED, occurrence=PARKED, progress=a_progress(unfinished_elsewhere=1))
    assert (again.step.state, again.status) == (State.SCHEDULED, Status.ACTIVE)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.CANCELLED])
def test_a_parked_send_that_is_proved_unsent_too_late_is_skipped(status: Status) -> None:
    """B-263: past the grace, or of a reminder that a caller ended."""
    at = NOON + (timedelta(hours=2) if status is Status.ACTIVE else timedelta(0))
    over = settled(FAILED, occurrence=PARKED, progress=a_progress(status=status, unfinished_elsewhere=1), at=at)
    assert (over.step.state, over.status) == (State.SKIPPED, status)


def test_a_parked_send_that_ended_its_reminder_opens_it_again_when_it_is_proved_unsent_in_time() -> None:
    """B-263, B-060: nobody touched the reminder since, and the send may still be made."""
    expired = a_progress(status=Status.EXPIRED)
    again = settled(FAILED, occurrence=PARKED, progress=expired, ended_by_parking=True)
    assert (again.step.state, again.status) == (State.SCHEDULED, Status.ACTIVE)
    assert actions(again) == [Action.SEND_FAILED, Action.STATUS_CHANGED]
    assert kinds(again) == [MessageAttemptFailed, ReminderReactivated]
    late = settled(FAILED, occurrence=PARKED, progress=expired, ended_by_parking=True, at=NOON + timedelta(hours=2))
    assert (late.step.state, late.status) == (State.SKIPPED, Status.EXPIRED)


cases = st.builds(
    a_case,
    occurrence=st.builds(
        an_occurrence,
        state=st.sampled_from([State.SENDING, State.UNCERTAIN]),
        failures=st.integers(0, 4),
        takes_key=st.booleans(),
    ),
    progress=st.builds(
        a_progress,
        status=st.sampled_from(Status),
        sent_elsewhere=st.integers(0, 1),
        unfinished_elsewhere=st.integers(0, 1),
        last_send_at=st.none() | st.just(NOON - timedelta(days=1)),
    ),
    next_send_at=st.none() | st.just(NOON + timedelta(minutes=1)),
)


@given(cases, outcomes, randoms)
def test_whatever_happens_the_telling_fits_what_was_decided(case: Case, outcome: Outcome, random: float) -> None:
    """B-062, B-084: one entry per attempt, `message.failed` exactly at an unsent end, no retry of what is over."""
    settlement = settle_attempt(case, outcome, now=NOON, random=random)
    told, state = kinds(settlement), settlement.step.state
    assert told.count(MessageSent) == (state is State.SENT)
    assert told.count(MessageFailed) == (state in {State.SKIPPED, State.CANCELLED})
    assert told.count(MessageUncertain) == (state is State.UNCERTAIN)
    assert [kind for kind in told if kind in {ReminderCompleted, ReminderExpired}] == (
        [] if settlement.status is case.progress.status else [_END[settlement.status]]
    )
    assert settlement.history[0].action in {Action.SENT, Action.SEND_FAILED, Action.SEND_ERROR}
    assert settlement.step.ended or case.progress.status is Status.ACTIVE
    assert settlement.last_send_at == (NOON if state is State.SENT else case.progress.last_send_at)
    assert all(event.subject() == UUID(int=2) for event in settlement.events)


_END = {Status.COMPLETED: ReminderCompleted, Status.EXPIRED: ReminderExpired}
