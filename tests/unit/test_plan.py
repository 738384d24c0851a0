"""Which planned sends a new list of times yields, and what a cancel comes in time for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place, Planned, outcome_of_cancelling, replan, resumable, spent
from shared.domain.reminder import CancelOutcome

START = datetime(2031, 1, 1, tzinfo=UTC)

hours = some.integers(min_value=0, max_value=30)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


@some.composite
def plans(draw: some.DrawFn) -> list[Place]:
    """A reminder's places: ascending, each in any state."""
    times = sorted(draw(some.sets(hours, max_size=8)))
    states = some.sampled_from(list(State))
    return [Place(uuid4(), seq, at(hour), draw(states)) for seq, hour in enumerate(times, start=1)]


wishes = some.sets(hours, max_size=8).map(lambda found: [Planned(at(hour)) for hour in sorted(found)])


@given(plans(), wishes)
def test_b_073_what_is_over_or_under_way_is_never_planned_again(places: list[Place], wanted: list[Planned]) -> None:
    plan = replan(places, wanted)
    by_id = {place.id: place for place in places}
    planned = [(one.kind, one.at) for _, one in plan.added] + [by_id[id].slot for id, _, _ in plan.moved]
    assert set(planned) == {(one.kind, one.at) for one in wanted} - spent(places)
    assert len(planned) == len(set(planned)) == plan.left


@given(plans(), wishes)
def test_b_053_the_order_of_places_is_that_of_their_times(places: list[Place], wanted: list[Planned]) -> None:
    plan = replan(places, wanted)
    by_id = {place.id: place for place in places}
    ordered = sorted(
        [
            *((seq, by_id[id].scheduled_for) for id, seq, _ in plan.moved),
            *((seq, planned.at) for seq, planned in plan.added),
        ]
    )
    assert [instant for _, instant in ordered] == sorted(instant for _, instant in ordered)
    assert all(seq > max((place.seq for place in places), default=0) for seq, _ in ordered)


@given(plans(), wishes)
def test_a_place_that_can_still_be_stopped_is_dropped_or_moved(places: list[Place], wanted: list[Planned]) -> None:
    plan = replan(places, wanted)
    touched = {*plan.dropped, *(id for id, _, _ in plan.moved)}
    assert touched == {place.id for place in places if place.stoppable}


@given(plans(), wishes, hours)
def test_b_071_what_can_go_on_lies_ahead(places: list[Place], wanted: list[Planned], hour: int) -> None:
    left = resumable(places, wanted, now=at(hour))
    assert all(one.at > at(hour) and (one.kind, one.at) not in spent(places) for one in left)


def test_b_245_sends_of_different_kinds_at_one_time_are_different_sends() -> None:
    sent = Place(UUID(int=1), 1, at(1), State.SENT)
    plan = replan([sent], [Planned(at(1)), Planned(at(1), Kind.NO_SHOW)])
    assert [planned.kind for _, planned in plan.added] == [Kind.NO_SHOW]


def test_b_233_a_send_that_is_skipped_from_the_start_is_kept_for_the_record_and_waits_for_nothing() -> None:
    waiting = Place(UUID(int=1), 1, at(1), State.SCHEDULED)
    plan = replan([waiting], [Planned(at(1), skipped="too late")])
    assert (plan.dropped, plan.moved, plan.left) == ((waiting.id,), (), 0)
    assert [planned.skipped for _, planned in plan.added] == ["too late"]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ([], CancelOutcome.PREVENTED),
        ([State.SCHEDULED], CancelOutcome.PREVENTED),
        ([State.QUEUED, State.SENT], CancelOutcome.PREVENTED),
        ([State.SENDING, State.SENT], CancelOutcome.IN_FLIGHT),
        ([State.SENT, State.EXPIRED], CancelOutcome.ALREADY_SENT),
        ([State.UNCERTAIN], CancelOutcome.ALREADY_SENT),
        ([State.SKIPPED, State.CANCELLED], CancelOutcome.PREVENTED),
        ([State.SENT, State.CANCELLED, State.CANCELLED], CancelOutcome.PREVENTED),
        ([State.CANCELLED, State.SENT], CancelOutcome.ALREADY_SENT),
    ],
)
def test_b_039_what_a_cancel_comes_in_time_for(states: list[State], outcome: CancelOutcome) -> None:
    places = [Place(UUID(int=n), n, at(n), state) for n, state in enumerate(states, start=1)]
    assert outcome_of_cancelling(places) is outcome


def test_b_039_times_that_were_replaced_are_not_what_an_end_prevented() -> None:
    """B-041."""
    sent = Place(UUID(int=1), 1, at(1), State.SENT)
    replaced = Place(UUID(int=2), 2, at(2), State.CANCELLED, replaced=True)
    assert outcome_of_cancelling([sent, replaced]) is CancelOutcome.ALREADY_SENT
