"""What a person's word makes of a send whose answer was lost (B-263)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.events import MessageFailed, MessageSent, ReminderReactivated
from shared.domain.occurrence import MAX_FAILURES, State
from shared.domain.outcome import Unknown
from shared.domain.parked import CLOSED, Verdict, settle_by_hand
from shared.domain.reminder import Action, Status
from shared.domain.settlement import FIRST_LOOK_UP, Case, Settlement, settle_attempt, settle_lost
from tests.unit.domain_builders import NOON, RETRY, a_case, a_progress, an_occurrence


def a_parked_case(**changes: object) -> Case:
    occurrence = an_occurrence(state=State.UNCERTAIN, takes_key=False, failures=1)
    parked = a_case(occurrence=occurrence, provider="twilio", ended_by_parking=True)
    return replace(parked, **{"progress": a_progress(status=Status.EXPIRED), **changes})  # type: ignore[arg-type]


def resolved(case: Case, verdict: Verdict, *, after: timedelta = timedelta(minutes=1)) -> Settlement:
    return settle_by_hand(case, verdict, message_id="SM1", now=NOON + after, random=0.5)


def test_sent_makes_it_sent_and_its_reminder_completed_b_263() -> None:
    settled = resolved(a_parked_case(), Verdict.SENT)
    assert (settled.step.state, settled.status) == (State.SENT, Status.COMPLETED)
    assert isinstance(settled.events[0], MessageSent)
    assert "by hand" in settled.history[0].detail


def test_not_sent_makes_it_wait_for_another_try_and_opens_its_reminder_again_b_263() -> None:
    settled = resolved(a_parked_case(), Verdict.NOT_SENT)
    assert (settled.step.state, settled.status) == (State.SCHEDULED, Status.ACTIVE)
    assert any(isinstance(event, ReminderReactivated) for event in settled.events)


def test_resolving_uses_up_no_failure_even_of_the_fifth_b_056_b_263() -> None:
    for failures in range(MAX_FAILURES + 1):
        occurrence = an_occurrence(state=State.UNCERTAIN, takes_key=False, failures=failures)
        for verdict in Verdict:
            step = resolved(a_parked_case(occurrence=occurrence), verdict).step
            assert step.failures == failures
            assert step.state is not State.SKIPPED or verdict is Verdict.CLOSED


def test_not_sent_after_the_grace_is_skipped_b_061_b_263() -> None:
    settled = resolved(a_parked_case(), Verdict.NOT_SENT, after=timedelta(hours=1, seconds=1))
    assert (settled.step.state, settled.status) == (State.SKIPPED, Status.EXPIRED)


def test_not_sent_is_skipped_where_no_try_fits_before_the_next_send_time_b_263() -> None:
    case = a_parked_case(next_send_at=NOON + timedelta(minutes=1, seconds=20), progress=a_progress())
    assert resolved(case, Verdict.NOT_SENT).step.state is State.SKIPPED


def test_closed_is_skipped_with_a_reason_and_its_attempt_stays_in_doubt() -> None:
    settled = resolved(a_parked_case(), Verdict.CLOSED)
    assert (settled.step.state, settled.step.reason) == (State.SKIPPED, CLOSED)
    assert [type(event) for event in settled.events] == [MessageFailed]
    assert [entry.action for entry in settled.history] == [Action.SKIPPED]
    assert settled.outcome is None


@pytest.mark.parametrize(("provider", "asked"), [("twilio", True), ("whatsapp", False)])
def test_a_lost_answer_is_looked_up_where_its_provider_can_be_asked_b_263(provider: str, asked: bool) -> None:
    sending = a_case(occurrence=an_occurrence(takes_key=False), provider=provider)
    lost = Unknown("no answer")
    for settled in (
        settle_lost(sending, now=NOON),
        settle_attempt(sending, lost, now=NOON, random=0.5),
        settle_attempt(replace(sending, policy=RETRY), lost, now=NOON, random=0.5),
    ):
        assert settled.look_up_at == (NOON + FIRST_LOOK_UP if asked else None)


def test_what_takes_a_key_or_is_known_is_not_looked_up() -> None:
    keyed = a_case(provider="twilio")
    assert settle_attempt(keyed, Unknown("no answer"), now=NOON, random=0.5).look_up_at is None
    for verdict in Verdict:
        assert resolved(a_parked_case(), verdict).look_up_at is None
