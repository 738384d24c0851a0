"""The flat report of C-4, over the events that the domain really makes: one for each attempt, and only true ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from unit.domain_builders import NOON, PARK, a_case, a_progress, an_occurrence, caught_up

from services.webhooks.format import Facts, Happened
from services.webhooks.formats.attempt import ATTEMPT
from shared.domain.account import CatchUp
from shared.domain.events import Event
from shared.domain.occurrence import State, unsendable
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.settlement import settle_attempt, settle_lost, settle_missed
from shared.domain.webhook_body import REPORTED
from shared.messages.envelope import wrap
from shared.store.subscribers import ReminderFacts

REMINDER = ReminderFacts(
    UUID(int=2), UUID(int=3), UUID(int=5), "invoice-42", "sms", "+6281234567890", "active", "UTC", NOON, NOON, None
)


def told(events: Sequence[Event]) -> list[str]:
    """The details of the reports that these events make at a configuration's webhook URL."""
    details = []
    for number, event in enumerate(events, start=1):
        envelope = wrap(event, event_id=UUID(int=number), account_id=UUID(int=3), at=NOON, sequence=number)
        body = ATTEMPT.render(Happened(envelope, event), Facts({UUID(int=2): REMINDER}), UUID(int=9))
        if body is not None and event.TYPE in REPORTED:
            report = json.loads(body)
            assert list(report) == ["id", "date", "status", "detail"]
            details.append(report["detail"])
    return details


@pytest.mark.parametrize(
    ("outcome", "failures", "detail"),
    [
        (Accepted("m-1"), 0, "Reminder sent"),
        (Failed("busy"), 0, "Send failed"),
        (Failed("busy"), 4, "Send failed, no attempt is left"),
        (Rejected("no such number"), 0, "Send failed, no attempt is left"),
        (Rejected("opted out", opted_out=True), 0, "Send failed, no attempt is left"),
        (Unavailable("key"), 0, "Send failed"),
        (Unknown("no answer"), 0, "Send unconfirmed, the message may have been sent"),
    ],
)
def test_c_4_each_attempt_is_reported_exactly_once(outcome: Outcome, failures: int, detail: str) -> None:
    """C-4: whatever else the attempt ends, its send time and its reminder included."""
    case = a_case(occurrence=an_occurrence(takes_key=False, failures=failures), progress=a_progress())
    assert told(settle_attempt(case, outcome, now=NOON, random=0.5).events) == [detail]


def test_c_4_an_attempt_whose_worker_was_lost_is_reported_once() -> None:
    parked = a_case(occurrence=an_occurrence(takes_key=False))
    assert told(settle_lost(parked, now=NOON).events) == ["Send unconfirmed, the message may have been sent"]
    assert told(settle_lost(a_case(), now=NOON).events) == ["Send failed"]


def test_c_4_a_missed_time_is_no_failed_attempt() -> None:
    late = NOON + timedelta(hours=2)
    for policy, reason in (
        (PARK, "older than the grace"),
        (caught_up(CatchUp.LATEST), "older than the grace"),
    ):
        case = a_case(occurrence=an_occurrence(state=State.QUEUED, attempt=0), policy=policy)
        step = unsendable(case.occurrence, now=late, policy=policy, later_is_due=True)
        assert step is not None
        assert told(settle_missed(case, step, now=late).events) == [f"Send time missed, nothing was sent: {reason}"]
    soon, policy = NOON + timedelta(minutes=5), caught_up(CatchUp.LATEST)
    case = a_case(occurrence=an_occurrence(state=State.QUEUED, attempt=0), policy=policy)
    step = unsendable(case.occurrence, now=soon, policy=policy, later_is_due=True)
    assert step is not None
    missed = "Send time missed, nothing was sent: a later send time has come"
    assert told(settle_missed(case, step, now=soon).events) == [missed]


def test_c_4_a_send_to_somebody_who_opted_out_is_reported_once() -> None:
    """B-146."""
    case = a_case(occurrence=an_occurrence(state=State.QUEUED, attempt=0), barred="opted_out")
    step = unsendable(case.occurrence, now=NOON, policy=PARK, later_is_due=False, barred="opted_out")
    assert step is not None
    assert told(settle_missed(case, step, now=NOON).events) == ["Send time missed, nothing was sent: opted_out"]
