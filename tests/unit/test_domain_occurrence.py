"""What each outcome makes of a planned send."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain_builders import NOON, PARK, RETRY, an_occurrence, caught_up, outcomes, policies, randoms

from shared.domain.account import CatchUp, Policy
from shared.domain.occurrence import (
    MAX_FAILURES,
    PAUSE,
    Occurrence,
    State,
    Step,
    after,
    after_lost_worker,
    idempotency_key,
    unsendable,
)
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown

DEFINITE = Failed("refused the connection")
AMBIGUOUS = Failed("no answer", ambiguous=True)
SLOW_DOWN = Failed("too many requests", counts=False)


def step_after(
    outcome: Outcome,
    occurrence: Occurrence | None = None,
    *,
    policy: Policy = PARK,
    next_send_at: datetime | None = None,
    random: float = 0.5,
) -> Step:
    return after(
        occurrence or an_occurrence(), outcome, now=NOON, policy=policy, next_send_at=next_send_at, random=random
    )


def next_call(occurrence: Occurrence, step: Step) -> Occurrence:
    """The occurrence as its next call begins."""
    return replace(occurrence, attempt=occurrence.attempt + 1, failures=step.failures, key_epoch=step.key_epoch)


def keys_of(*outcomes: Outcome | None) -> list[str]:
    """The keys of the calls that these outcomes, and a lost worker for None, come from; and of the call after them."""
    occurrence = an_occurrence()
    keys = [idempotency_key(occurrence.id, occurrence.key_epoch)]
    for outcome in outcomes:
        lost = outcome is None
        step = after_lost_worker(occurrence, now=NOON, policy=PARK) if lost else step_after(outcome, occurrence)
        occurrence = next_call(occurrence, step)
        keys.append(idempotency_key(occurrence.id, occurrence.key_epoch))
    return keys


def test_an_accepted_message_is_sent_and_keeps_the_providers_id() -> None:
    step = step_after(Accepted("SM1"))
    assert (step.state, step.provider_message_id, step.due_at) == (State.SENT, "SM1", None)


def test_a_message_refused_for_good_is_skipped_at_once() -> None:
    """B-058: it does not burn five attempts."""
    step = step_after(Rejected("no such number"))
    assert (step.state, step.reason, step.failures) == (State.SKIPPED, "no such number", 0)


def test_a_failed_attempt_is_tried_again_after_the_first_step() -> None:
    """B-058."""
    step = step_after(DEFINITE)
    assert (step.state, step.due_at, step.failures) == (State.SCHEDULED, NOON + timedelta(seconds=30), 1)


def test_the_fifth_failure_skips_the_send_time() -> None:
    """B-056."""
    assert step_after(DEFINITE, an_occurrence(failures=3)).state is State.SCHEDULED
    fifth = step_after(DEFINITE, an_occurrence(failures=4))
    assert (fifth.state, fifth.failures, fifth.due_at) == (State.SKIPPED, 5, None)


def test_being_asked_to_slow_down_uses_up_no_failure_and_waits_as_long_as_asked() -> None:
    asked = Failed("too many requests", retry_after=timedelta(minutes=7), counts=False)
    step = step_after(asked, an_occurrence(failures=4))
    assert (step.state, step.failures, step.due_at) == (State.SCHEDULED, 4, NOON + timedelta(minutes=7))


def test_a_wait_that_a_provider_asks_for_never_shortens_ours() -> None:
    step = step_after(Failed("busy", retry_after=timedelta(seconds=1)))
    assert step.due_at == NOON + timedelta(seconds=30)


@pytest.mark.parametrize("at", [timedelta(seconds=10), timedelta(seconds=30)])
def test_a_retry_that_would_reach_the_next_send_time_skips_instead(at: timedelta) -> None:
    """B-058: attempts never cross the next send time, and do not fall on it either."""
    step = step_after(DEFINITE, next_send_at=NOON + at)
    assert (step.state, step.failures) == (State.SKIPPED, 1)


def test_refused_credentials_keep_the_message_however_often_they_are_refused() -> None:
    """The next send time does not push it out either: the grace alone bounds it."""
    step = step_after(Unavailable("401"), an_occurrence(failures=4), next_send_at=NOON + timedelta(seconds=1))
    assert (step.state, step.failures) == (State.SCHEDULED, 4)
    assert step.due_at is not None
    assert step.due_at >= NOON + PAUSE


def test_a_lost_answer_is_parked_where_the_provider_takes_no_key() -> None:
    """B-263."""
    step = step_after(Unknown("timeout"), an_occurrence(takes_key=False))
    assert (step.state, step.failures, step.due_at) == (State.UNCERTAIN, 1, None)


def test_a_lost_answer_is_repeated_without_a_key_only_where_the_account_chose_so() -> None:
    """B-263."""
    step = step_after(Unknown("timeout"), an_occurrence(takes_key=False), policy=RETRY)
    assert (step.state, step.failures) == (State.SCHEDULED, 1)


def test_a_lost_answer_is_repeated_where_the_provider_takes_a_key() -> None:
    """B-263."""
    step = step_after(Unknown("timeout"))
    assert (step.state, step.failures, step.key_epoch) == (State.SCHEDULED, 1, 0)


def test_a_lost_worker_uses_up_no_failure() -> None:
    """B-085: a crash before the call is not an attempt, and nobody knows whether it was before."""
    step = after_lost_worker(an_occurrence(failures=4), now=NOON, policy=PARK)
    assert (step.state, step.failures, step.due_at, step.key_epoch) == (State.SCHEDULED, 4, NOON, 0)


def test_a_lost_worker_parks_the_send_where_the_provider_takes_no_key() -> None:
    """B-263."""
    lost = an_occurrence(takes_key=False)
    assert after_lost_worker(lost, now=NOON, policy=PARK).state is State.UNCERTAIN
    assert after_lost_worker(lost, now=NOON, policy=RETRY).state is State.SCHEDULED


def test_a_repeat_of_a_doubtful_call_carries_the_same_key() -> None:
    """B-263."""
    assert len(set(keys_of(AMBIGUOUS, None, Unknown("timeout")))) == 1


def test_a_definite_failure_gets_a_new_key_because_providers_replay_failures_too() -> None:
    assert len(set(keys_of(DEFINITE, SLOW_DOWN, Unavailable("401")))) == 4


@pytest.mark.parametrize("definite", [DEFINITE, SLOW_DOWN, Unavailable("401")], ids=["refused", "429", "401"])
@pytest.mark.parametrize("doubtful", [AMBIGUOUS, None], ids=["no answer", "lost worker"])
def test_a_definite_failure_does_not_clear_up_an_earlier_doubt(doubtful: Outcome | None, definite: Outcome) -> None:
    """B-263: the first call may have been taken, so a new key could send the message a second time."""
    assert len(set(keys_of(doubtful, definite, definite))) == 1


def test_a_doubt_keeps_the_key_that_it_arose_under() -> None:
    first, second, third, fourth = keys_of(DEFINITE, AMBIGUOUS, DEFINITE)
    assert first != second == third == fourth


def is_doubtful(outcome: Outcome | None) -> bool:
    return outcome is None or isinstance(outcome, Unknown) or (isinstance(outcome, Failed) and outcome.ambiguous)


@given(st.lists(st.none() | outcomes, max_size=12))
def test_a_key_is_never_changed_while_a_call_under_it_may_have_been_taken(story: list[Outcome | None]) -> None:
    """B-262, B-263: at most one message however the calls of a send time end, at a provider that honours keys."""
    keys = keys_of(*story)
    for place, outcome in enumerate(story):
        if is_doubtful(outcome):
            assert set(keys[place:]) == {keys[place]}


late = timedelta(hours=1)


def test_a_send_inside_the_grace_is_made_late() -> None:
    """B-061, B-264."""
    assert unsendable(an_occurrence(), now=NOON + late, policy=PARK, later_is_due=False) is None


def test_a_send_older_than_the_grace_expires() -> None:
    """B-061, B-264."""
    step = unsendable(an_occurrence(), now=NOON + late + timedelta(microseconds=1), policy=PARK, later_is_due=False)
    assert step is not None
    assert step.state is State.EXPIRED


@pytest.mark.parametrize(
    ("catch_up", "later_is_due", "expected"),
    [
        (None, True, None),
        (CatchUp.ALL, True, None),
        (CatchUp.LATEST, False, None),
        (CatchUp.LATEST, True, State.SKIPPED),
        (CatchUp.NONE, False, State.SKIPPED),
    ],
)
def test_catching_up_says_which_of_several_missed_sends_go_out(
    catch_up: CatchUp | None, later_is_due: bool, expected: State | None
) -> None:
    """B-264."""
    policy = caught_up(catch_up)
    step = unsendable(an_occurrence(attempt=0), now=NOON + late / 2, policy=policy, later_is_due=later_is_due)
    assert (step and step.state) == expected


def test_catching_up_does_not_call_a_retry_or_a_busy_minute_missed() -> None:
    """B-264."""
    policy = caught_up(CatchUp.NONE)
    retry, fresh = an_occurrence(attempt=1), an_occurrence(attempt=0)
    assert unsendable(retry, now=NOON + late / 2, policy=policy, later_is_due=False) is None
    assert unsendable(fresh, now=NOON + timedelta(minutes=1), policy=policy, later_is_due=False) is None


calls = st.builds(
    an_occurrence,
    attempt=st.integers(1, 40),
    failures=st.integers(0, MAX_FAILURES - 1),
    key_epoch=st.integers(0, 3),
    takes_key=st.booleans(),
)


@given(calls, outcomes, policies, randoms, st.none() | st.timedeltas(timedelta(seconds=1), timedelta(hours=2)))
def test_whatever_happens_a_step_keeps_the_rules(
    call: Occurrence, outcome: Outcome, policy: Policy, random: float, gap: timedelta | None
) -> None:
    """B-056, B-058, B-263: at most five failures; no retry reaches the next send time; keys only move forward."""
    next_send_at = None if gap is None else NOON + gap
    step = step_after(outcome, call, policy=policy, next_send_at=next_send_at, random=random)
    assert call.failures <= step.failures <= min(call.failures + 1, MAX_FAILURES)
    assert call.key_epoch <= step.key_epoch <= call.key_epoch + 1
    assert step.ended == (step.due_at is None)
    assert step.ended or step.failures < MAX_FAILURES
    if step.due_at is not None:
        assert step.due_at >= NOON + timedelta(seconds=27)
        assert isinstance(outcome, Unavailable) or next_send_at is None or step.due_at < next_send_at


@given(calls, outcomes, policies, randoms)
def test_only_an_acceptance_makes_a_send_sent(
    call: Occurrence, outcome: Outcome, policy: Policy, random: float
) -> None:
    step = step_after(outcome, call, policy=policy, random=random)
    assert (step.state is State.SENT) == isinstance(outcome, Accepted)


@given(calls, outcomes, randoms)
def test_nothing_is_repeated_blindly(call: Occurrence, outcome: Outcome, random: float) -> None:
    """B-263: without a key, and without the account's word, a doubtful call has no successor."""
    step = step_after(outcome, replace(call, takes_key=False), random=random)
    if isinstance(outcome, Unknown):
        assert step.state is State.UNCERTAIN


def test_a_reminder_of_an_event_is_of_no_use_once_it_has_begun_b_221() -> None:
    """However much grace is left, as it would be after a pause of its configuration."""
    reminder = an_occurrence(scheduled_for=NOON - timedelta(minutes=15), until=NOON)
    almost = NOON - timedelta(seconds=1)
    assert unsendable(reminder, now=almost, policy=PARK, later_is_due=False) is None
    step = unsendable(reminder, now=NOON, policy=PARK, later_is_due=False)
    assert step is not None
    assert (step.state, step.reason) == (State.SKIPPED, "its event has begun")


@pytest.mark.parametrize("outcome", [DEFINITE, AMBIGUOUS, SLOW_DOWN])
def test_nor_is_it_tried_again_where_no_try_fits_before_the_event_b_221(outcome: Failed) -> None:
    begins_soon = an_occurrence(until=NOON + timedelta(seconds=10))
    step = step_after(outcome, begins_soon)
    assert (step.state, step.due_at) == (State.SKIPPED, None)
    assert (step.reason or "").startswith("no retry before its event")
    assert step_after(outcome, replace(begins_soon, until=NOON + timedelta(hours=1))).state is State.SCHEDULED


def test_a_key_that_another_address_raised_under_way_is_not_raised_twice_b_241() -> None:
    """The epoch never passes the number of calls: else a later doubt would look like none."""
    moved = an_occurrence(attempt=1, key_epoch=1)
    assert step_after(DEFINITE, moved).key_epoch == 1
    doubted = next_call(moved, step_after(AMBIGUOUS, moved))
    assert not doubted.in_doubt
    again = next_call(doubted, step_after(AMBIGUOUS, doubted))
    assert again.in_doubt
    assert step_after(DEFINITE, again).key_epoch == 1
