"""`Every`: its instants, the next of them, and what is made up for after a standstill."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.schedule import BadTime, BadZone, DstRule, Every, Feb29, Gap, Overlap, Unit, zone, zone_names

TICK, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
NOTHING = timedelta(0)
DAILY = Every(date(2026, 1, 1), Unit.DAY, 1, time(9), "UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


some_recurrences = some.builds(
    Every,
    anchor=some.dates(date(2005, 1, 1), date(2045, 1, 1)) | some.sampled_from([date(2024, 2, 29), date(2011, 12, 25)]),
    unit=some.sampled_from(Unit),
    number=some.integers(1, 5) | some.integers(1, 30),
    at=some.times() | some.sampled_from([time(2, 30), time(0), time(1, 30)]),
    time_zone=some.sampled_from(sorted(zone_names())) | some.just("Pacific/Apia"),
    feb29=some.sampled_from(Feb29),
    dst=some.builds(DstRule, some.sampled_from(Gap), some.sampled_from(Overlap)),
)
near_an_instant = some.sampled_from([-2 * DAY, -DAY, -HOUR, -TICK, NOTHING, TICK, HOUR, DAY, 2 * DAY])
steps = some.integers(0, 60)


def test_the_clock_of_the_wall_stays_when_the_clocks_change() -> None:
    """B-171, B-184."""
    weekly = Every(date(2026, 3, 22), Unit.WEEK, 1, time(9), "Europe/Berlin")
    assert [weekly.nth(n) for n in range(3)] == [
        utc("2026-03-22T08:00"), utc("2026-03-29T07:00"), utc("2026-04-05T07:00")
    ]  # fmt: skip


def test_b_027_each_instant_is_read_by_the_rule_and_the_next_one_is_whole_again() -> None:
    in_gap = Every(date(2026, 3, 28), Unit.DAY, 1, time(2, 30), "Europe/Berlin")
    assert [in_gap.nth(n).time() for n in range(3)] == [time(1, 30), time(1, 30), time(0, 30)]
    twice = Every(date(2026, 10, 25), Unit.DAY, 1, time(2, 30), "Europe/Berlin", dst=DstRule(overlap=Overlap.SECOND))
    assert twice.nth(0) == utc("2026-10-25T01:30")


def test_b_176_a_birthday_on_29_february_follows_the_policy() -> None:
    early = Every(date(2024, 2, 29), Unit.YEAR, 1, time(9), "Asia/Jakarta")
    late = Every(date(2024, 2, 29), Unit.YEAR, 1, time(9), "Asia/Jakarta", Feb29.MAR1)
    assert [early.nth(n) for n in (1, 4)] == [utc("2025-02-28T02:00"), utc("2028-02-29T02:00")]
    assert [late.nth(n) for n in (1, 4)] == [utc("2025-03-01T02:00"), utc("2028-02-29T02:00")]


def test_a_day_that_a_zone_left_out_rings_once_with_the_next() -> None:
    apia = Every(date(2011, 12, 29), Unit.DAY, 1, time(9), "Pacific/Apia")
    assert apia.nth(1) == apia.nth(2)
    assert apia.first_after(apia.nth(0)) == apia.nth(2)
    assert apia.first_after(apia.nth(2)) == apia.nth(3)


@given(some_recurrences, steps, near_an_instant)
def test_b_206_the_first_after_a_moment_is_what_a_walk_from_the_anchor_finds(
    every: Every, n: int, offset: timedelta
) -> None:
    """B-178."""
    moment = every.nth(n) + offset
    assert every.first_after(moment) == next(found for found in map(every.nth, count()) if found > moment)
    assert every.first_from(moment) == next(found for found in map(every.nth, count()) if found >= moment)


@pytest.mark.parametrize(
    ("at", "time_zone", "next_at"),
    [(time(21), "America/New_York", "2026-01-05T02:00"), (time(23, 59), "Etc/GMT+12", "2026-01-05T11:59")],
)
def test_an_evening_in_the_west_is_found_though_it_is_tomorrow_already_in_utc(
    at: time, time_zone: str, next_at: str
) -> None:
    every = Every(date(2026, 1, 1), Unit.DAY, 1, at, time_zone)
    assert every.first_after(utc("2026-01-05T01:00")) == every.first_from(utc("2026-01-05T01:00")) == utc(next_at)


@given(some_recurrences, steps)
def test_instants_never_go_back(every: Every, n: int) -> None:
    assert every.nth(n) <= every.nth(n + 1)
    assert every.first_from(every.nth(n)) == every.nth(n)
    assert every.first_after(every.nth(n)) > every.nth(n)


@given(some_recurrences, steps)
def test_nothing_that_recurs_rings_before_its_clock_time(every: Every, n: int) -> None:
    """B-027."""
    shown = every.nth(n).astimezone(zone(every.time_zone)).replace(tzinfo=None)
    assert NOTHING <= shown - datetime.combine(every.date_of(n), every.at) <= DAY


def test_the_next_instant_is_found_without_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    plain = Every.date_of

    def counted(self: Every, n: int) -> date:
        asked.append(n)
        return plain(self, n)

    monkeypatch.setattr(Every, "date_of", counted)
    for unit in Unit:
        Every(date(1, 2, 1), unit, 1, time(9), "Europe/Berlin").first_after(utc("9990-01-01T00:00"))
    assert len(asked) <= 6 * len(Unit)


@pytest.mark.parametrize(
    ("now", "planned"),
    [
        ("2026-01-01T09:00:01", "2026-01-02T09:00"),  # the one before was sent in time
        ("2026-01-02T08:59:59", "2026-01-02T09:00"),
        ("2026-01-02T09:00", "2026-01-02T09:00"),  # just due
        ("2026-01-02T10:00", "2026-01-02T09:00"),  # within the grace, to the second
        ("2026-01-02T10:00:01", "2026-01-03T09:00"),  # beyond it
        ("2026-01-09T09:30", "2026-01-09T09:00"),  # a week's standstill: the latest alone
        ("2026-01-09T12:00", "2026-01-10T09:00"),
        ("2025-12-01T00:00", "2026-01-02T09:00"),  # a clock that went back repeats nothing
    ],
)
def test_b_264_after_a_standstill_the_latest_is_sent_if_the_grace_allows_it(now: str, planned: str) -> None:
    assert DAILY.following(DAILY.nth(0), now=utc(now), grace=HOUR) == utc(planned)


def test_b_264_the_very_first_is_made_up_for_like_any_other() -> None:
    first = DAILY.nth(0)
    assert DAILY.following(first - DAY, now=first + HOUR / 2, grace=HOUR) == first
    assert DAILY.following(first - DAY, now=first + 2 * HOUR, grace=HOUR) == DAILY.nth(1)


@given(some_recurrences, steps, near_an_instant, steps, near_an_instant, some.timedeltas(NOTHING, 3 * DAY))
def test_b_264_what_follows_is_later_and_never_older_than_the_grace(
    every: Every, before: int, early: timedelta, missed: int, late: timedelta, grace: timedelta
) -> None:
    previous, now = every.nth(before) + early, every.nth(before + missed) + late
    found = every.following(previous, now=now, grace=grace)
    assert found > previous
    assert found > now or now - found <= grace
    planned = [every.nth(n) for n in range(before + missed + 70)]
    due = [moment for moment in planned if previous < moment <= now]
    expected = due[-1] if due and now - due[-1] <= grace else min(m for m in planned if m > max(previous, now))
    assert found == expected


@pytest.mark.parametrize("unit", Unit)
def test_the_end_of_the_calendar_is_refused_in_words(unit: Unit) -> None:
    every = Every(date(9999, 12, 31), unit, 1, time(9), "UTC")
    assert every.first_after(datetime.min.replace(tzinfo=UTC)) == every.nth(0)
    with pytest.raises(BadTime, match="9999"):
        every.first_after(every.nth(0))
    with pytest.raises(BadTime, match="9999"):
        every.first_from(datetime.max.replace(tzinfo=UTC))
    with pytest.raises(BadTime, match="9999"):
        every.following(every.nth(0), now=every.nth(0) + DAY / 2, grace=HOUR)


def test_what_cannot_recur_is_refused_when_it_is_made() -> None:
    """B-171, B-026."""
    with pytest.raises(BadTime, match="at least 1"):
        Every(date(2026, 1, 1), Unit.DAY, 0, time(9), "UTC")
    with pytest.raises(BadTime, match="no offset"):
        Every(date(2026, 1, 1), Unit.DAY, 1, time(9, tzinfo=UTC), "UTC")
    with pytest.raises(BadZone):
        Every(date(2026, 1, 1), Unit.DAY, 1, time(9), "Europe/berlin")
