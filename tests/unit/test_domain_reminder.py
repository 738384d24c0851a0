"""What the end of a planned send makes of its reminder, and what a cancel comes in time for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain_builders import a_progress

from shared.domain.occurrence import UNFINISHED, State
from shared.domain.reminder import CancelOutcome, Progress, Status, cancel_outcome, status_after

ENDED = sorted(set(State) - UNFINISHED)


def test_a_reminder_stays_active_while_a_send_time_is_left() -> None:
    """B-054, B-055."""
    assert status_after(a_progress(unfinished_elsewhere=1), State.SENT) is Status.ACTIVE
    assert status_after(a_progress(unfinished_elsewhere=1), State.SKIPPED) is Status.ACTIVE


def test_a_reminder_is_completed_when_its_last_time_is_sent() -> None:
    """B-055."""
    assert status_after(a_progress(), State.SENT) is Status.COMPLETED


def test_one_sent_message_is_enough_to_be_completed() -> None:
    """B-059: the last time was skipped, an earlier one went out."""
    assert status_after(a_progress(sent_elsewhere=1), State.SKIPPED) is Status.COMPLETED
    assert status_after(a_progress(sent_elsewhere=1), State.EXPIRED) is Status.COMPLETED


@pytest.mark.parametrize("ended_as", [State.SKIPPED, State.EXPIRED, State.UNCERTAIN])
def test_a_reminder_of_which_nothing_was_sent_is_expired(ended_as: State) -> None:
    """B-059, B-061."""
    assert status_after(a_progress(), ended_as) is Status.EXPIRED


def test_a_late_proof_that_it_was_sent_completes_an_expired_reminder() -> None:
    """B-263: what was parked turns out to have been sent."""
    assert status_after(a_progress(status=Status.EXPIRED), State.SENT) is Status.COMPLETED


@pytest.mark.parametrize("ended_as", ENDED)
def test_what_a_caller_cancelled_stays_cancelled(ended_as: State) -> None:
    """B-060."""
    assert status_after(a_progress(status=Status.CANCELLED), ended_as) is Status.CANCELLED


progresses = st.builds(
    a_progress,
    status=st.sampled_from(Status),
    sent_elsewhere=st.integers(0, 2),
    unfinished_elsewhere=st.integers(0, 2),
)


@given(progresses, st.sampled_from(ENDED))
def test_a_status_never_regresses(progress: Progress, ended_as: State) -> None:
    """B-060, B-062: nothing that a send does brings a reminder back, and completed is never taken back."""
    status = status_after(progress, ended_as)
    if progress.status is not Status.ACTIVE:
        assert status is not Status.ACTIVE
    if progress.status is Status.COMPLETED:
        assert status is Status.COMPLETED
    if status is Status.ACTIVE:
        assert progress.unfinished_elsewhere > 0


@pytest.mark.parametrize(
    ("sending", "stopped", "sent", "expected"),
    [
        (0, 1, 0, CancelOutcome.PREVENTED),
        (0, 1, 1, CancelOutcome.PREVENTED),
        (1, 1, 1, CancelOutcome.IN_FLIGHT),
        (0, 0, 1, CancelOutcome.ALREADY_SENT),
        (0, 0, 0, CancelOutcome.PREVENTED),
    ],
)
def test_a_cancel_says_what_it_came_in_time_for(sending: int, stopped: int, sent: int, expected: CancelOutcome) -> None:
    """B-039."""
    assert cancel_outcome(sending=sending, stopped=stopped, sent=sent) is expected
