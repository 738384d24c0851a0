"""B-270: what is stored is what was meant on the wall, and it reads back as the same schedule."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.schedule import (
    Around,
    BadTime,
    DstRule,
    Duration,
    Every,
    Feb29,
    Gap,
    Overlap,
    Schedule,
    Times,
    Unit,
    instant,
    schedule_of,
    to_json,
    zone,
    zone_names,
)

BERLIN, OTHER = zone("Europe/Berlin"), DstRule(Gap.BEFORE, Overlap.SECOND)
TEXTS = ("2026-10-25T02:30:00", "2026-03-29T02:30", "2025-05-29T08:00:00+07:00", "2025-05-29T01:00:00Z")

rules = some.builds(DstRule, some.sampled_from(Gap), some.sampled_from(Overlap))
naive_texts = some.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(datetime.isoformat)  # noqa: DTZ001
durations = some.sampled_from(["P2W", "P1D", "PT24H", "PT90S", "P1DT2H30M"]).map(Duration.parse)
zones = some.sampled_from(sorted(zone_names()))
recurrences = some.builds(
    Every,
    anchor=some.dates(),
    unit=some.sampled_from(Unit),
    number=some.integers(1),
    at=some.times(),
    time_zone=zones,
    feb29=some.sampled_from(Feb29),
    dst=rules,
)
appointments = some.builds(Around.of, naive_texts, zones, durations, some.none() | durations, rules)


def stored(schedule: Schedule) -> dict[str, object]:
    """As the database gives it back."""
    found: dict[str, object] = json.loads(json.dumps(to_json(schedule)))
    return found


@given(recurrences | appointments)
def test_b_270_what_recurs_and_what_is_around_an_event_reads_back_as_it_was(schedule: Every | Around) -> None:
    assert schedule_of(stored(schedule), schedule.time_zone) == schedule


@given(some.lists(naive_texts, min_size=1), zones, rules)
def test_b_270_a_list_of_times_reads_back_as_it_was_written(texts: list[str], time_zone: str, rule: DstRule) -> None:
    times = Times.read(texts, zone(time_zone), rule)
    again = schedule_of(stored(times), time_zone)
    assert isinstance(again, Times)
    assert (again, again.texts, again.dst) == (times, tuple(texts), rule)


def test_b_270_the_stored_forms() -> None:
    assert stored(Times.read(TEXTS, BERLIN)) == {"kind": "times", "send_times": list(TEXTS)}
    assert stored(Every(date(2018, 9, 9), Unit.DAY, 3, time(9), "Europe/Berlin")) == {
        "kind": "every", "anchor": "2018-09-09", "unit": "day", "number": 3, "at": "09:00", "feb29": "feb28"
    }  # fmt: skip
    both = Around.of("2021-01-06T16:50:00", "America/New_York", Duration.parse("PT1H"), Duration.parse("PT2H"))
    assert stored(both) == {
        "kind": "around", "event": "2021-01-06T16:50:00", "remind_before": "PT1H", "follow_up_after": "PT2H"
    }  # fmt: skip
    assert "follow_up_after" not in stored(Around.of("2021-01-06T16:50:00", "UTC", Duration.parse("PT1H")))


def test_b_027_a_rule_that_is_not_the_usual_one_is_stored_too() -> None:
    kept = {"gap": "before", "overlap": "second"}
    assert stored(Times.read(TEXTS, BERLIN, OTHER))["dst"] == kept
    assert stored(Every(date(2018, 9, 9), Unit.DAY, 3, time(9), "UTC", dst=OTHER))["dst"] == kept
    assert stored(Around.of("2021-01-06T16:50:00", "UTC", Duration.parse("PT1H"), dst=OTHER))["dst"] == kept


def test_b_028_a_list_keeps_the_texts_as_written_beside_its_instants_in_order() -> None:
    times = Times.read(TEXTS, BERLIN)
    assert times.texts == TEXTS
    assert times.instants == tuple(sorted({instant(text, BERLIN) for text in TEXTS}))
    assert len(times.instants) == len(TEXTS) - 1
    assert times == Times.of(times.instants)


def test_a_list_that_nobody_wrote_is_stored_as_its_instants() -> None:
    one = datetime(2026, 1, 1, 9, tzinfo=UTC)
    times = Times.of([one + timedelta(hours=1), one.astimezone(BERLIN)])
    assert schedule_of(stored(times), "Asia/Tokyo") == times


def test_one_bad_time_spoils_a_list() -> None:
    with pytest.raises(BadTime):
        Times.read([*TEXTS, "2026-02-30T09:00:00"], BERLIN)


def test_a_kind_that_is_not_known_is_a_bug() -> None:
    with pytest.raises(ValueError, match="cron"):
        schedule_of({"kind": "cron"}, "UTC")
