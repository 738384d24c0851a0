"""B-270: what new rules of a time zone make of sends that were planned with the old ones.

The rules at hand are the new ones; what the old ones said is made up, as instants that are off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.duration import Duration
from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place
from shared.domain.rereading import in_order, older, reread
from shared.domain.schedule import Around, Every, Schedule, Times, Unit, zone

BERLIN = zone("Europe/Berlin")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_place(number: int, at: datetime, state: State = State.SCHEDULED, kind: Kind = Kind.MAIN) -> Place:
    return Place(UUID(int=number), number, at, state, kind)


def moved(schedule: Schedule, places: Sequence[Place], *, now: datetime = NOW) -> dict[int, datetime]:
    movable = frozenset(place.id for place in places if place.state is State.SCHEDULED)
    return {id.int: at for id, at in reread(schedule, places, movable, now=now).items()}


def in_berlin(*texts: str) -> Times:
    return Times.read(texts, BERLIN)


def test_b_270_a_time_of_the_wall_clock_moves_with_the_rules_of_its_zone() -> None:
    times = in_berlin("2026-06-02T09:00", "2026-06-03T09:00")
    first, second = times.instants
    places = [a_place(1, first + HOUR), a_place(2, second + HOUR)]
    assert moved(times, places) == {1: first, 2: second}


@given(some.lists(some.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), min_size=1, max_size=9))  # noqa: DTZ001
def test_b_270_a_time_with_an_offset_never_moves(naive: list[datetime]) -> None:
    times = in_berlin(*(f"{at.isoformat()}+07:00" for at in naive))
    places = [a_place(n, at) for n, at in enumerate(times.instants, start=1)]
    assert moved(times, places) == {}


def test_b_270_beside_one_with_an_offset_only_the_other_moves() -> None:
    times = in_berlin("2026-06-02T09:00:00+02:00", "2026-06-03T09:00")
    fixed, floating = times.instants
    assert moved(times, [a_place(1, fixed), a_place(2, floating - HOUR)]) == {2: floating}


@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.QUEUED, State.UNCERTAIN, State.SKIPPED])
def test_b_270_what_was_sent_or_is_under_way_is_not_planned_again(state: State) -> None:
    times = in_berlin("2026-06-01T13:30", "2026-06-02T09:00")
    first, second = times.instants
    places = [a_place(1, first - HOUR, state), a_place(2, second - HOUR)]
    assert moved(times, places) == {2: second}


@pytest.mark.parametrize("off", [-HOUR, HOUR, timedelta(minutes=30), timedelta(hours=-24), timedelta(hours=24)])
def test_b_270_a_recurring_send_goes_to_its_own_date(off: timedelta) -> None:
    weekly = Every(date(2026, 5, 5), Unit.WEEK, 1, time(9), "Europe/Berlin")
    at = weekly.nth(4)
    last_week = a_place(1, weekly.nth(3) + off, State.SENT)
    assert moved(weekly, [last_week, a_place(2, at + off)]) == {2: at}


def test_b_270_the_last_date_of_the_calendar_stays() -> None:
    daily = Every(date(9999, 12, 31), Unit.DAY, 1, time(9), "Europe/Berlin")
    assert moved(daily, [a_place(1, daily.nth(0) + HOUR)]) == {}


def test_b_270_both_sends_around_an_event_move_and_other_kinds_stay() -> None:
    around = Around.of("2026-06-05T09:00", "Europe/Berlin", Duration.parse("P1D"), Duration.parse("PT2H"))
    after = around.follow_up_at
    assert after is not None
    places = [
        a_place(1, around.remind_at - HOUR),
        a_place(2, after - HOUR, kind=Kind.FOLLOW_UP),
        a_place(3, after - HOUR, kind=Kind.NO_SHOW),
    ]
    assert moved(around, places) == {1: around.remind_at, 2: after}


def test_b_270_what_was_not_planned_from_the_schedule_stays() -> None:
    around = Around.of("2026-06-05T09:00", "Europe/Berlin", Duration.parse("P7D"))
    assert moved(around, [a_place(1, NOW)]) == {}
    times = in_berlin("2026-06-09T09:00")
    assert moved(times, [a_place(1, times.instants[0] - timedelta(days=3))]) == {}


def test_b_270_what_is_due_stays_due_unless_its_time_is_yet_to_come() -> None:
    times = in_berlin("2026-06-01T13:30")  # 11:30 UTC
    (at,) = times.instants
    assert moved(times, [a_place(1, at + HOUR / 4)], now=at + HOUR) == {}
    assert moved(times, [a_place(1, at - HOUR)], now=at - HOUR / 2) == {1: at}


def test_b_270_no_send_is_added_and_none_is_lost_where_two_times_meet() -> None:
    times = in_berlin("2026-06-02T09:00", "2026-06-02T07:00:00Z")
    (at,) = times.instants
    assert moved(times, [a_place(1, at), a_place(2, at + HOUR)]) == {}


def test_b_270_what_waits_is_sent_in_the_order_of_its_new_times() -> None:
    times = in_berlin("2026-06-02T09:00", "2026-06-02T07:30:00Z")
    floating, fixed = times.instants
    places = [a_place(1, fixed), a_place(2, floating + HOUR)]
    new = reread(times, places, frozenset(place.id for place in places), now=NOW)
    assert [(seq, place.id.int) for seq, place in in_order(places, new, after=2)] == [(3, 2), (4, 1)]


@pytest.mark.parametrize(
    ("version", "than", "is_older"),
    [
        ("2026.5", "2026.6", True),
        ("2026.6", "2026.6", False),
        ("2026.10", "2026.6", False),
        ("2025.3", "2026.1", True),
        ("2026.6", "2026.6.1", True),
    ],
)
def test_b_270_releases_of_rules_are_compared_by_their_numbers(version: str, than: str, is_older: bool) -> None:
    assert older(version, than) is is_older
