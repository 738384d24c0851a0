"""Durations: which are read, and what a day is where the clocks change."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.schedule import BadDuration, BadTime, DstRule, Duration, Gap, Overlap, instant, zone, zone_names

BERLIN, APIA = zone("Europe/Berlin"), zone("Pacific/Apia")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "days", "clock"),
    [
        ("P2W", 14, timedelta(0)),
        ("P1D", 1, timedelta(0)),
        ("PT3H", 0, timedelta(hours=3)),
        ("P1DT2H30M", 1, timedelta(hours=2, minutes=30)),
        ("PT90S", 0, timedelta(seconds=90)),
        ("PT24H", 0, timedelta(hours=24)),
        ("P1W2DT3H4M5S", 9, timedelta(hours=3, minutes=4, seconds=5)),
        ("P0DT1M", 0, timedelta(minutes=1)),
        ("P007D", 7, timedelta(0)),
        ("P3653D", 3_653, timedelta(0)),
    ],
)
def test_b_220_durations_are_wall_clock_days_and_elapsed_time(text: str, days: int, clock: timedelta) -> None:
    found = Duration.parse(text)
    assert (found.days, found.clock, found.text) == (days, clock, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-P1D", "negative"),
        ("P-1D", "negative"),
        ("PT-3H", "negative"),
        ("P1Y", "no fixed length"),
        ("P1M", "no fixed length"),
        ("P1Y2M3DT4H", "no fixed length"),
        ("P0D", "longer than nothing"),
        ("PT0S", "longer than nothing"),
        ("P0W0DT0H0M0S", "longer than nothing"),
        ("P3654D", "ten years"),
        ("P999999999W", "ten years"),
        ("PT999999999H", "ten years"),
        ("", "not an ISO 8601 duration"),
        ("P", "not an ISO 8601 duration"),
        ("PT", "not an ISO 8601 duration"),
        ("P1DT", "not an ISO 8601 duration"),
        ("1D", "not an ISO 8601 duration"),
        ("p1d", "not an ISO 8601 duration"),
        ("P1H", "not an ISO 8601 duration"),
        ("PT1D", "not an ISO 8601 duration"),
        ("P1D2W", "not an ISO 8601 duration"),
        ("PT1.5H", "not an ISO 8601 duration"),
        ("PT1H ", "not an ISO 8601 duration"),
        ("PT1H\n", "not an ISO 8601 duration"),
        ("P9999999999D", "not an ISO 8601 duration"),
        ("P१D", "not an ISO 8601 duration"),
        ("3 hours", "not an ISO 8601 duration"),
    ],
)
def test_b_220_what_is_no_usable_duration_is_refused_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(BadDuration, match=why):
        Duration.parse(text)


@given(some.text(alphabet="PTWDHMSY0123456789-+., é", max_size=30))
def test_no_text_breaks_the_reading_of_durations(text: str) -> None:
    with suppress(BadDuration):
        assert Duration.parse(text).text == text


parts = some.integers(0, 100)
some_durations = (
    some.builds("P{}W{}DT{}H{}M{}S".format, parts, parts, parts, parts, parts)
    .filter(lambda text: any(digit in text for digit in "123456789"))
    .map(Duration.parse)
)
moments = some.datetimes(datetime(2015, 1, 1), datetime(2045, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001
zones = some.sampled_from(sorted(zone_names())).map(zone)


@given(parts, parts, parts, parts, parts)
def test_b_220_a_duration_says_again_what_was_written(weeks: int, days: int, hours: int, minutes: int, s: int) -> None:
    text = f"P{weeks}W{days + 1}DT{hours}H{minutes}M{s}S"
    found = Duration.parse(text)
    assert found.days * DAY + found.clock == timedelta(days + 1, s, 0, 0, minutes, hours, weeks)
    assert Duration.parse(found.text) == found


def test_equal_lengths_are_equal_however_they_were_written() -> None:
    assert Duration.parse("P1W") == Duration.parse("P7D")
    assert Duration.parse("PT1H") == Duration.parse("PT60M")
    assert Duration.parse("P1D") != Duration.parse("PT24H")


@pytest.mark.parametrize(
    ("event", "a_day", "elapsed"),
    [
        ("2026-03-29T12:00:00", "2026-03-28T12:00:00+01:00", "2026-03-28T11:00:00+01:00"),
        ("2026-10-25T12:00:00", "2026-10-24T12:00:00+02:00", "2026-10-24T13:00:00+02:00"),
        ("2026-06-15T12:00:00", "2026-06-14T12:00:00+02:00", "2026-06-14T12:00:00+02:00"),
    ],
)
def test_b_220_a_day_before_is_the_same_clock_and_24_hours_before_is_24_hours(
    event: str, a_day: str, elapsed: str
) -> None:
    event_at = instant(event, BERLIN)
    assert Duration.parse("P1D").before(event_at, BERLIN) == datetime.fromisoformat(a_day)
    assert Duration.parse("PT24H").before(event_at, BERLIN) == datetime.fromisoformat(elapsed)


def test_b_220_a_day_after_is_the_same_clock_too() -> None:
    evening = instant("2026-03-28T20:00:00", BERLIN)
    assert Duration.parse("P1D").after(evening, BERLIN) - evening == 23 * HOUR
    assert Duration.parse("PT24H").after(evening, BERLIN) - evening == 24 * HOUR
    assert Duration.parse("P1DT2H").after(evening, BERLIN) - evening == 25 * HOUR


def test_b_027_a_day_that_leads_into_a_gap_or_an_overlap_is_read_by_the_rule() -> None:
    """B-220."""
    gap, overlap = instant("2026-03-30T02:30:00", BERLIN), instant("2026-10-26T02:30:00", BERLIN)
    day, other = Duration.parse("P1D"), DstRule(Gap.BEFORE, Overlap.SECOND)
    assert day.before(gap, BERLIN) == instant("2026-03-29T03:30:00", BERLIN)
    assert day.before(gap, BERLIN, other) == instant("2026-03-29T03:00:00", BERLIN)
    assert day.before(overlap, BERLIN) == instant("2026-10-25T02:30:00+02:00", BERLIN)
    assert day.before(overlap, BERLIN, other) == instant("2026-10-25T02:30:00+01:00", BERLIN)


def test_elapsed_time_leaves_the_second_of_two_equal_clock_times_alone() -> None:
    second = instant("2026-10-25T02:30:00+01:00", BERLIN)
    assert Duration.parse("PT1M").before(second, BERLIN) == second - timedelta(minutes=1)


def test_a_day_that_never_was_is_the_one_after_it() -> None:
    noon = instant("2011-12-31T12:00:00", APIA)
    assert Duration.parse("P1D").before(noon, APIA) == noon
    assert Duration.parse("P2D").before(noon, APIA) == noon - DAY


@given(moments, zones, some_durations)
def test_b_220_before_is_earlier_and_after_is_later_by_about_its_length(
    moment: datetime, in_zone: ZoneInfo, duration: Duration
) -> None:
    length = duration.days * DAY + duration.clock
    slack = 25 * HOUR if duration.days else timedelta(0)  # a zone may leave out a day when it changes its side
    assert abs(moment - duration.before(moment, in_zone) - length) <= slack
    assert abs(duration.after(moment, in_zone) - moment - length) <= slack


@given(moments, zones, some.integers(1, 400))
def test_b_220_whole_days_show_the_same_clock_wherever_there_is_one(
    moment: datetime, in_zone: ZoneInfo, days: int
) -> None:
    clock = moment.astimezone(in_zone).replace(tzinfo=None)
    shown = Duration.parse(f"P{days}D").after(moment, in_zone).astimezone(in_zone).replace(tzinfo=None)
    assert timedelta(0) <= shown - (clock + days * DAY) <= DAY


@pytest.mark.parametrize("text", ["P1D", "PT24H"])
def test_the_ends_of_the_calendar_are_refused_in_words(text: str) -> None:
    duration = Duration.parse(text)
    with pytest.raises(BadTime):
        duration.before(datetime.min.replace(tzinfo=UTC), BERLIN)
    with pytest.raises(BadTime):
        duration.after(datetime.max.replace(tzinfo=UTC), BERLIN)
