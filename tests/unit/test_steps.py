"""Dates at equal steps from an anchor, against a calendar that is walked one month at a time."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.schedule import BadTime, Feb29, Steps, Unit, advance, read_date

DAY = timedelta(days=1)


def months_from(first: date) -> list[list[date]]:
    """400 years of months, each as its days, from the month of `first`."""
    months: list[list[date]] = [[]]
    day = first.replace(day=1)
    while len(months) <= 4_800:
        months[-1].append(day)
        if (day + DAY).day == 1:
            months.append([])
        day += DAY
    return months[:4_800]


MONTHS = months_from(date(2020, 1, 1))


def expected(month: list[date], day: int) -> date:
    """The month's day of that number, or its last."""
    return next((found for found in month if found.day == day), month[-1])


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_b_115_b_206_four_centuries_of_month_ends_neither_overflow_nor_drift(day: int) -> None:
    steps = Steps(date(2020, 1, day), Unit.MONTH, 1)
    for n, month in enumerate(MONTHS):
        assert steps.date_of(n) == expected(month, day)


@pytest.mark.parametrize("number", [2, 3, 5, 7, 12, 13, 999])
def test_b_115_b_206_steps_of_several_months_come_from_the_anchor_too(number: int) -> None:
    steps = Steps(date(2020, 1, 31), Unit.MONTH, number)
    for n, month in enumerate(islice(MONTHS, 0, None, number)):
        assert steps.date_of(n) == month[-1]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("unit", [Unit.YEAR, Unit.MONTH])
def test_b_176_four_centuries_of_29_februaries(unit: Unit, number: int) -> None:
    """29 February again in each leap year; else the last day of February, or 1 March, as the policy says."""
    step = number * 12 if unit is Unit.MONTH else number
    early, late = (Steps(date(2020, 2, 29), unit, step, policy) for policy in (Feb29.FEB28, Feb29.MAR1))
    for n, month in enumerate(islice(MONTHS, 1, None, 12 * number)):
        leap = len(month) == 29
        assert early.date_of(n) == month[-1]
        assert late.date_of(n) == (month[-1] if leap else month[-1] + DAY)


def test_b_176_century_years_are_common_but_every_fourth() -> None:
    steps = Steps(date(2000, 2, 29), Unit.YEAR, 100)
    assert [steps.date_of(n).isoformat() for n in range(5)] == [
        "2000-02-29", "2100-02-28", "2200-02-28", "2300-02-28", "2400-02-29",
    ]  # fmt: skip


def test_b_176_only_an_anchor_of_29_february_asks_for_the_policy() -> None:
    assert Steps(date(2023, 2, 28), Unit.YEAR, 1, Feb29.MAR1).date_of(1) == date(2024, 2, 28)
    assert Steps(date(2023, 1, 31), Unit.MONTH, 1, Feb29.MAR1).date_of(1) == date(2023, 2, 28)


def test_b_171_a_day_is_a_day_and_a_week_is_seven() -> None:
    """B-170."""
    assert Steps(date(2018, 9, 9), Unit.DAY, 3).date_of(2) == date(2018, 9, 15)
    assert Steps(date(2018, 9, 9), Unit.WEEK, 3).date_of(2) == date(2018, 10, 21)


@pytest.mark.parametrize("number", [0, -1])
def test_b_171_less_than_one_unit_is_refused(number: int) -> None:
    with pytest.raises(BadTime, match="at least 1"):
        Steps(date(2026, 1, 1), Unit.DAY, number)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("number", [1, 999, 10**30])
def test_the_end_of_the_calendar_is_refused_in_words(unit: Unit, number: int) -> None:
    steps = Steps(date(9999, 12, 31), unit, number)
    assert steps.date_of(0) == date(9999, 12, 31)
    with pytest.raises(BadTime, match="9999"):
        steps.date_of(1)
    with pytest.raises(BadTime, match="9999"):
        steps.after(date(9999, 12, 31))


some_steps = some.builds(
    Steps,
    some.dates(date(1900, 1, 1), date(2100, 12, 31)) | some.just(date(2024, 2, 29)) | some.just(date(2023, 1, 31)),
    some.sampled_from(Unit),
    some.integers(1, 40),  # 200 steps of it stay before the year 10000
    some.sampled_from(Feb29),
)


@given(some_steps, some.integers(0, 190))
def test_dates_only_go_forward(steps: Steps, n: int) -> None:
    assert steps.date_of(n) < steps.date_of(n + 1)


@given(some_steps, some.integers(0, 190), some.integers(-3, 3))
def test_b_113_the_first_date_after_a_day_is_what_a_walk_from_the_anchor_finds(steps: Steps, n: int, days: int) -> None:
    """B-114."""
    day = steps.date_of(n) + timedelta(days=days)
    walked = 0
    while steps.date_of(walked) <= day:
        walked += 1
    assert steps.after(day) == walked
    assert advance(steps.anchor, steps.number, steps.unit, after=day)[0] > day


@given(some_steps)
def test_a_day_before_the_anchor_is_followed_by_the_anchor(steps: Steps) -> None:
    assert steps.after(date.min) == steps.after(steps.anchor - DAY) == 0


@pytest.mark.parametrize("value", [1, 999])
@pytest.mark.parametrize("unit", [Unit.DAY, Unit.MONTH, Unit.YEAR])
def test_b_112_every_interval_that_may_be_asked_for_advances(value: int, unit: Unit) -> None:
    found, missed = advance(date(2026, 1, 31), value, unit, after=date(2026, 1, 31))
    assert found == Steps(date(2026, 1, 31), unit, value).date_of(1)
    assert missed == 0


def test_b_114_missed_dates_are_counted_from_the_one_that_was_due() -> None:
    anchor, today = date(2025, 1, 31), date(2025, 7, 1)
    assert advance(anchor, 1, Unit.MONTH, after=today) == (date(2025, 7, 31), 5)
    assert advance(anchor, 1, Unit.MONTH, after=today, since=date(2025, 4, 30)) == (date(2025, 7, 31), 2)
    assert advance(anchor, 1, Unit.MONTH, after=date(2025, 4, 30), since=date(2025, 4, 30)) == (date(2025, 5, 31), 0)


def test_b_115_advancing_again_and_again_from_the_anchor_does_not_drift() -> None:
    due = [date(2023, 1, 31)]
    for _ in range(48):
        due.append(advance(due[0], 1, Unit.MONTH, after=due[-1], since=due[-1])[0])
    assert due == [expected(month, 31) for month in months_of_2023(len(due))]
    assert all(later > earlier for earlier, later in pairwise(due))


def months_of_2023(how_many: int) -> list[list[date]]:
    return MONTHS[36 : 36 + how_many]


@pytest.mark.parametrize(
    "text", ["", "2025-5-29", "20250529", "2025-05-29T00:00", "2025-05-29\n", "२०२५-०५-२९", "29.05.2025", "2025-W22-4"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadTime, match="not a date"):
        read_date(text)


@pytest.mark.parametrize("text", ["2025-02-29", "2025-13-01", "2025-00-10", "0000-01-01"])
def test_a_date_that_never_comes_is_refused(text: str) -> None:
    with pytest.raises(BadTime, match="no such date"):
        read_date(text)


@given(some.dates())
def test_every_date_is_read(day: date) -> None:
    """B-195."""
    assert read_date(day.isoformat()) == day
