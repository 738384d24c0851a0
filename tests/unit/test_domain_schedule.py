"""Reading times. Zone names and their allow-list are tested beside the doors that take them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.schedule import BadTime, Times, instant

JAKARTA, BERLIN, TOKYO = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
ONE = datetime(2025, 5, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-05-29T08:00:00+07:00",
        "2025-05-29T08:00:00+0700",
        "2025-05-29t08:00+07:00",
        "2025-05-29 08:00:00.000000000+07:00",
        "2025-05-29T01:00:00Z",
        "2025-05-29T01:00:00z",
        "2025-05-28T20:00:00-05:00",
    ],
)
def test_an_offset_in_the_time_wins_over_the_zone(text: str) -> None:
    """B-023, B-025."""
    assert instant(text, TOKYO) == ONE


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    """B-024."""
    assert instant("2025-05-29T08:00:00", JAKARTA) == ONE


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert instant("2025-05-29T01:00:00.1234567Z", JAKARTA) == ONE.replace(microsecond=123_456)
    assert instant("2025-05-29T01:00:00.5Z", JAKARTA) == ONE.replace(microsecond=500_000)


def test_a_time_that_the_clocks_leave_out_moves_forward_by_the_gap() -> None:
    """B-027."""
    assert instant("2025-03-30T02:30:00", BERLIN) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    """B-027."""
    assert instant("2025-10-26T02:30:00", BERLIN) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2025-05-29",
        "08:00:00",
        "2025-02-30T08:00:00Z",
        "2025-13-01T08:00:00Z",
        "2025-05-29T24:00:00Z",
        "2025-05-29T08:60:00Z",
        "2025-05-29T08:00:00+19:00",
        "2025-05-29T08:00:00 +07:00",
        "2025-05-29T08:00:00Z\n",
        "2025-05-29T08:00:00Z\0",
        "२०२५-०५-२९T08:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:59:59-07:00",
        "2025-W22-4T08:00:00Z",
    ],
)
def test_what_is_no_date_and_time_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        instant(text, JAKARTA)


@given(st.text(alphabet="0123456789-:+.TZz \0é", max_size=40))
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    with suppress(BadTime):
        assert instant(text, JAKARTA).utcoffset() == timedelta(0)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-18 * 60, 18 * 60))  # noqa: DTZ001
def test_any_offset_reads_back_as_the_same_instant(naive: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    found = instant(f"{naive.isoformat()}{sign}{hours:02}:{rest:02}", BERLIN)
    assert found == naive.replace(tzinfo=UTC) - timedelta(minutes=minutes)


def test_times_are_in_order_and_without_repeats() -> None:
    """B-028, B-053."""
    two, three = ONE + timedelta(hours=1), ONE + timedelta(hours=2)
    assert Times.of([three, ONE, two, ONE.astimezone(TOKYO)]).instants == (ONE, two, three)
