"""`Around`: the reminder before an event and the follow-up after it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.domain.schedule import Around, BadTime, BadZone, DstRule, Duration, Gap

HOUR = timedelta(hours=1)


def around(event: str, before: str, after: str | None = None, zone: str = "America/New_York") -> Around:
    return Around.of(event, zone, Duration.parse(before), None if after is None else Duration.parse(after))


def test_b_222_an_event_without_an_offset_is_of_the_subscribers_zone() -> None:
    """B-221, B-225."""
    found = around("2021-01-06T16:50:00", "PT1H", "PT2H")
    assert found.event_at == datetime.fromisoformat("2021-01-06T16:50:00-05:00")
    assert found.remind_at == found.event_at - HOUR
    assert found.follow_up_at == found.event_at + 2 * HOUR


@pytest.mark.parametrize("event", ["2021-01-06T16:50:00+07:00", "2021-01-06T09:50:00Z"])
def test_b_223_an_offset_in_the_event_wins_over_the_zone(event: str) -> None:
    assert around(event, "PT1H").event_at == datetime.fromisoformat("2021-01-06T09:50:00+00:00")


def test_b_220_days_before_an_event_are_counted_by_the_subscribers_clock() -> None:
    """B-221. The clocks of New York go forward on 8 March 2026, at 2."""
    a_day, elapsed = around("2026-03-08T12:00:00", "P1D"), around("2026-03-08T12:00:00", "PT24H")
    assert a_day.remind_at == datetime.fromisoformat("2026-03-07T12:00:00-05:00")
    assert elapsed.remind_at == datetime.fromisoformat("2026-03-07T11:00:00-05:00")
    written_with_offset = around("2026-03-08T16:00:00Z", "P1D")
    assert written_with_offset.remind_at == a_day.remind_at


def test_b_225_no_follow_up_is_planned_unless_it_was_asked_for() -> None:
    assert around("2026-03-08T12:00:00", "PT3H").follow_up_at is None


def test_b_027_an_event_in_a_gap_is_read_by_the_rule() -> None:
    """B-222."""
    one, rule = Duration.parse("PT1H"), DstRule(gap=Gap.BEFORE)
    forward = Around.of("2026-03-08T02:30:00", "America/New_York", one)
    to_the_jump = Around.of("2026-03-08T02:30:00", "America/New_York", one, dst=rule)
    assert forward.event_at - to_the_jump.event_at == HOUR / 2
    assert forward.remind_at - to_the_jump.remind_at == HOUR / 2


@pytest.mark.parametrize(
    ("event", "before", "after"),
    [
        ("tomorrow", "PT1H", None),
        ("2026-02-30T10:00:00", "PT1H", None),
        ("0001-01-01T10:00:00", "P1D", None),
        ("9999-12-31T10:00:00", "P1D", "P1D"),
    ],
)
def test_an_event_whose_sends_have_no_time_is_refused_when_it_is_made(
    event: str, before: str, after: str | None
) -> None:
    with pytest.raises(BadTime):
        around(event, before, after, zone="UTC")


def test_b_224_an_unknown_zone_is_refused_when_it_is_made() -> None:
    with pytest.raises(BadZone):
        around("2026-03-08T12:00:00Z", "PT1H", zone="New York")
