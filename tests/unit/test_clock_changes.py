"""Every change of every zone's clocks from 2020 to 2040, against what its UTC side says.

The rules under test go from the wall clock to UTC. The oracle only ever goes from UTC to the wall clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from shared.domain.schedule import BadTime, DstRule, Gap, Overlap, at_wall_clock, instant, zone, zone_names

SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
RULES = [DstRule(gap, overlap) for gap in Gap for overlap in Overlap]
BERLIN, NEW_YORK, LORD_HOWE, APIA = (
    zone(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
)


class Change(NamedTuple):
    """At `at`, the clocks of `zone` go from the offset `old` to `new`."""

    zone: str
    at: datetime
    old: timedelta
    new: timedelta

    def meaning(self, naive: datetime, rule: DstRule) -> datetime:
        """What `naive`, near this change, is in UTC."""
        by_old, by_new = naive.replace(tzinfo=UTC) - self.old, naive.replace(tzinfo=UTC) - self.new
        is_before, is_after = by_old < self.at, by_new >= self.at
        if is_before and is_after:
            return by_old if rule.overlap is Overlap.FIRST else by_new
        if not is_before and not is_after:
            return by_old if rule.gap is Gap.FORWARD else self.at
        return by_old if is_before else by_new

    def moments(self) -> Iterator[datetime]:
        """Wall-clock times at both edges of the gap or overlap, just outside, and inside."""
        edges = sorted((self.at + offset).replace(tzinfo=None) for offset in (self.old, self.new))
        for edge in edges:
            yield from (edge + step for step in (-SECOND, -TICK, timedelta(0), TICK, SECOND))
        low, high = edges
        yield from (low + (high - low) / 3, low + (high - low) / 2, low - 3 * (high - low), high + 3 * (high - low))


def offset_at(moment: datetime, in_zone: ZoneInfo) -> timedelta:
    return moment.astimezone(in_zone).replace(tzinfo=UTC) - moment


def changes_of(name: str) -> Iterator[Change]:
    in_zone, week = ZoneInfo(name), timedelta(days=7)
    moment, old = START, offset_at(START, in_zone)
    while moment < END:
        new = offset_at(moment + week, in_zone)
        if new != old:
            low, high = 0, 7 * 86_400
            while high - low > 1:
                middle = (low + high) // 2
                is_old = offset_at(moment + middle * SECOND, in_zone) == old
                low, high = (middle, high) if is_old else (low, middle)
            yield Change(name, moment + high * SECOND, old, new)
        moment, old = moment + week, new


@cache
def all_changes() -> tuple[Change, ...]:
    return tuple(change for name in sorted(zone_names()) for change in changes_of(name))


def test_the_oracle_knows_the_changes_that_everybody_knows() -> None:
    berlin = [change for change in all_changes() if change.zone == "Europe/Berlin" and change.at.year == 2026]
    assert [change.at.isoformat() for change in berlin] == ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"]
    assert len(all_changes()) > 5_000


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.gap}-{rule.overlap}")
def test_b_027_every_change_of_every_zone_is_read_by_the_rule(rule: DstRule) -> None:
    for change in all_changes():
        in_zone = zone(change.zone)
        for naive in change.moments():
            assert at_wall_clock(naive, in_zone, rule) == change.meaning(naive, rule), (change, naive)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.gap}-{rule.overlap}")
def test_b_027_nothing_rings_before_the_clock_shows_its_time(rule: DstRule) -> None:
    """It shows just that time, or in a gap a later one, by the gap at most."""
    for change in all_changes():
        in_zone, gap = zone(change.zone), max(change.new - change.old, timedelta(0))
        for naive in change.moments():
            shown = at_wall_clock(naive, in_zone, rule).astimezone(in_zone).replace(tzinfo=None)
            assert naive <= shown <= naive + gap


@pytest.mark.parametrize(
    ("naive", "in_zone", "forward", "before"),
    [
        ("2026-03-29T02:30:00", BERLIN, "2026-03-29T01:30:00", "2026-03-29T01:00:00"),
        ("2026-03-29T02:00:00", BERLIN, "2026-03-29T01:00:00", "2026-03-29T01:00:00"),
        ("2026-03-29T02:59:59.999999", BERLIN, "2026-03-29T01:59:59.999999", "2026-03-29T01:00:00"),
        ("2026-03-08T02:30:00", NEW_YORK, "2026-03-08T07:30:00", "2026-03-08T07:00:00"),
        ("2026-10-04T02:15:00", LORD_HOWE, "2026-10-03T15:45:00", "2026-10-03T15:30:00"),
        ("2011-12-30T12:00:00", APIA, "2011-12-30T22:00:00", "2011-12-30T10:00:00"),
    ],
)
def test_b_027_a_time_in_a_gap_moves_forward_or_to_the_jump(
    naive: str, in_zone: ZoneInfo, forward: str, before: str
) -> None:
    assert instant(naive, in_zone).isoformat() == f"{forward}+00:00"
    assert instant(naive, in_zone, DstRule(gap=Gap.BEFORE)).isoformat() == f"{before}+00:00"


@pytest.mark.parametrize(
    ("naive", "in_zone", "first", "second"),
    [
        ("2026-10-25T02:30:00", BERLIN, "2026-10-25T00:30:00", "2026-10-25T01:30:00"),
        ("2026-11-01T01:00:00", NEW_YORK, "2026-11-01T05:00:00", "2026-11-01T06:00:00"),
        ("2026-04-05T01:45:00", LORD_HOWE, "2026-04-04T14:45:00", "2026-04-04T15:15:00"),
    ],
)
def test_b_027_a_time_that_comes_twice_is_its_first_or_its_second(
    naive: str, in_zone: ZoneInfo, first: str, second: str
) -> None:
    assert instant(naive, in_zone).isoformat() == f"{first}+00:00"
    assert instant(naive, in_zone, DstRule(overlap=Overlap.SECOND)).isoformat() == f"{second}+00:00"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.gap}-{rule.overlap}")
def test_a_time_with_an_offset_needs_no_rule(rule: DstRule) -> None:
    """B-025."""
    assert instant("2026-10-25T02:30:00+01:00", BERLIN, rule) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_ends_of_the_calendar_are_refused_in_words() -> None:
    with pytest.raises(BadTime, match="no such date and time"):
        at_wall_clock(datetime(1, 1, 1), zone("Asia/Tokyo"))  # noqa: DTZ001
    with pytest.raises(BadTime, match="no such date and time"):
        at_wall_clock(datetime(9999, 12, 31, 23), NEW_YORK)  # noqa: DTZ001
