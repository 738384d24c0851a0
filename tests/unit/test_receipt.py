"""Reports of a message in any order, repeated, late and early never take anything back (V-09)."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.occurrence import State
from shared.domain.receipt import News, Report, news

reports = st.lists(st.sampled_from(Report), min_size=1, max_size=8)


def heard(state: State, said: list[Report]) -> tuple[Report | None, list[Report], int]:
    """What is known after these reports, what was told, and how often they proved the message sent."""
    known: Report | None = None
    told: list[Report] = []
    proved = 0
    for report in said:
        new = news(known, state, report)
        if new.proves_sent:
            state, proved = State.SENT, proved + 1
        known = new.report or known
        told += new.told
    return known, told, proved


@given(reports, st.sampled_from([State.SENDING, State.UNCERTAIN, State.SCHEDULED, State.SENT]))
def test_whatever_their_order_the_furthest_report_stands(said: list[Report], state: State) -> None:
    assert heard(state, said)[0] is max(said, key=lambda report: report.rank)


@given(reports, st.sampled_from([State.SENDING, State.UNCERTAIN, State.SENT]))
def test_each_thing_is_told_once_and_a_message_that_was_read_was_delivered(said: list[Report], state: State) -> None:
    _, told, proved = heard(state, said + said)
    assert len(told) == len(set(told))
    assert proved == (state is not State.SENT)
    assert (Report.READ in told) == (Report.READ in said)
    assert (Report.DELIVERED in told) == bool({Report.READ, Report.DELIVERED} & set(said))


@given(reports, reports)
def test_what_is_known_never_goes_back(first: list[Report], then: list[Report]) -> None:
    before, after = heard(State.SENT, first)[0], heard(State.SENT, first + then)[0]
    assert before is not None
    assert after is not None
    assert after.rank >= before.rank


@pytest.mark.parametrize("said", list(permutations([Report.SENT, Report.DELIVERED, Report.READ])))
def test_delivered_and_read_are_told_in_any_order_of_three_reports(said: tuple[Report, ...]) -> None:
    known, told, _ = heard(State.SENT, list(said))
    assert known is Report.READ
    assert told == [Report.DELIVERED, Report.READ]


def test_a_failure_after_a_delivery_is_no_news() -> None:
    for failure in (Report.UNDELIVERED, Report.FAILED):
        assert news(Report.DELIVERED, State.SENT, failure).nothing


def test_a_failure_is_final_but_for_the_proof_that_it_arrived() -> None:
    assert news(Report.FAILED, State.SENT, Report.SENT).nothing
    assert news(Report.UNDELIVERED, State.SENT, Report.DELIVERED).told == (Report.DELIVERED,)


def test_a_failure_proves_a_message_in_doubt_taken_and_makes_no_refused_one_sent_b_263() -> None:
    for doubtful in (State.UNCERTAIN, State.SENDING, State.SCHEDULED):
        assert news(None, doubtful, Report.FAILED) == News(True, Report.FAILED, (Report.UNDELIVERED,))
    assert news(None, State.SKIPPED, Report.FAILED).nothing
    assert news(None, State.SKIPPED, Report.DELIVERED).proves_sent
