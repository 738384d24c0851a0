"""What the end of one send of a recurring reminder makes of the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from unit.domain_builders import NOON, a_case, a_progress, an_occurrence, caught_up

from shared.domain.account import CatchUp
from shared.domain.occurrence import State, unsendable
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unknown
from shared.domain.reminder import Status
from shared.domain.schedule import Every, Unit
from shared.domain.settlement import Settlement, settle_attempt, settle_lost, settle_missed

DAILY = Every(anchor=NOON.date(), unit=Unit.DAY, number=1, at=time(12), time_zone="UTC")


def settled(outcome: Outcome, **changes: Any) -> Settlement:
    case = a_case(**({"recurrence": DAILY, "last_seq": 7} | changes))
    return settle_attempt(case, outcome, now=NOON + timedelta(seconds=1), random=0.5)


def planned(settlement: Settlement) -> tuple[int, datetime]:
    assert settlement.planned is not None
    seq, one = settlement.planned
    return seq, one.at


@pytest.mark.parametrize(
    ("outcome", "takes_key"),
    [(Accepted("m-1"), True), (Rejected("no such address"), True), (Unknown("timeout"), False)],
)
def test_b_178_the_end_of_one_send_plans_the_next(outcome: Outcome, takes_key: bool) -> None:
    done = settled(outcome, occurrence=an_occurrence(takes_key=takes_key))
    assert planned(done) == (8, NOON + timedelta(days=1))
    assert done.status is Status.ACTIVE


def test_a_retry_plans_nothing_and_would_not_reach_the_next_time() -> None:
    """B-058."""
    again = settled(Failed("no connection", "ECONNREFUSED"))
    assert (again.step.state, again.planned) == (State.SCHEDULED, None)
    minutely = settled(Failed("busy", retry_after=timedelta(days=2)))
    assert (minutely.step.state, planned(minutely)) == (State.SKIPPED, (8, NOON + timedelta(days=1)))


def test_a_lost_worker_that_is_parked_is_followed_all_the_same() -> None:
    """B-263."""
    case = a_case(recurrence=DAILY, occurrence=an_occurrence(takes_key=False))
    lost = settle_lost(case, now=NOON + timedelta(minutes=1))
    assert (lost.step.state, lost.status, planned(lost)[1]) == (
        State.UNCERTAIN,
        Status.ACTIVE,
        NOON + timedelta(days=1),
    )


def test_a_parked_send_that_is_resolved_late_is_not_followed_twice() -> None:
    """B-263: it was followed when it was parked."""
    parked = an_occurrence(state=State.UNCERTAIN, takes_key=False)
    late = settled(Accepted("m-1"), occurrence=parked, progress=a_progress(unfinished_elsewhere=1))
    assert late.planned is None
    assert settled(Accepted("m-1"), occurrence=parked).planned is None


def test_a_cancelled_reminder_plans_nothing() -> None:
    """B-204."""
    assert settled(Accepted("m-1"), progress=a_progress(status=Status.CANCELLED)).planned is None


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (None, timedelta(hours=72)),
        (CatchUp.LATEST, timedelta(hours=72)),
        (CatchUp.NONE, timedelta(hours=96)),
        (CatchUp.ALL, timedelta(hours=48)),
    ],
)
def test_b_264_after_a_standstill_the_latest_missed_time_goes_out(
    catch_up: CatchUp | None, expected: timedelta
) -> None:
    policy = replace(caught_up(catch_up), grace=timedelta(hours=25))
    now = NOON + timedelta(hours=72, minutes=30)
    case = a_case(recurrence=DAILY, policy=policy, occurrence=an_occurrence(state=State.QUEUED, attempt=0))
    step = unsendable(case.occurrence, now=now, policy=policy, later_is_due=False)
    assert step is not None
    missed = settle_missed(case, step, now=now)
    assert planned(missed)[1] == NOON + expected


def test_where_the_calendar_ends_the_reminder_does() -> None:
    every = Every(anchor=date(9999, 12, 31), unit=Unit.YEAR, number=1, at=time(9), time_zone="UTC")
    last = an_occurrence(scheduled_for=datetime(9999, 12, 31, 9, tzinfo=UTC))
    case = a_case(recurrence=every, occurrence=last)
    done = settle_attempt(case, Accepted("m-1"), now=datetime(9999, 12, 31, 9, 1, tzinfo=UTC), random=0.5)
    assert (done.planned, done.status) == (None, Status.COMPLETED)
