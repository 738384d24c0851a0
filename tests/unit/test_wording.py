"""B-027, B-270: what was meant on the wall, in words, and by which rule it became an instant."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from shared.domain.clock_reading import Clock, clock_of
from shared.domain.duration import Duration
from shared.domain.occurrence import Kind
from shared.domain.schedule import Around, DstRule, Every, Feb29, Gap, Overlap, Schedule, Times, Unit, zone
from shared.domain.wording import in_words, intents

BERLIN = zone("Europe/Berlin")
GAP, TWICE = "2026-03-29T02:30:00", "2026-10-25T02:30:00"
OTHER = DstRule(Gap.BEFORE, Overlap.SECOND)


@pytest.mark.parametrize(
    ("text", "rule", "clock", "sentence"),
    [
        ("2026-05-01T09:00", DstRule(), Clock.PLAIN, "is read as the clocks of Europe/Berlin show it."),
        ("2026-05-01t09:00:00z", DstRule(), Clock.OFFSET, "names its own offset: no rule of a zone moves it."),
        (f"{GAP}+07:00", DstRule(), Clock.OFFSET, "names its own offset: no rule of a zone moves it."),
        (GAP, DstRule(), Clock.GAP, "jump over: it is later by the gap."),
        (GAP, OTHER, Clock.GAP, "jump over: it is the instant of the jump."),
        (TWICE, DstRule(), Clock.OVERLAP, "show twice: the first one is meant."),
        (TWICE, OTHER, Clock.OVERLAP, "show twice: the second one is meant."),
    ],
)
def test_b_027_the_rule_that_was_applied_is_said(text: str, rule: DstRule, clock: Clock, sentence: str) -> None:
    times = Times.read([text], BERLIN, rule)
    intent = intents(times, "Europe/Berlin")(Kind.MAIN, times.instants[0])
    assert intent is not None
    assert (intent.written, intent.clock) == (text, clock)
    assert intent.sentence.endswith(sentence)


def test_a_time_that_is_none_of_its_schedule_has_no_intent() -> None:
    times = Times.read([GAP], BERLIN)
    find = intents(times, "Europe/Berlin")
    assert find(Kind.MAIN, times.instants[0] + timedelta(hours=1)) is None
    assert find(Kind.NO_SHOW, times.instants[0]) is None


def test_b_115_a_recurring_send_says_which_step_it_is() -> None:
    monthly = Every(date(2026, 1, 31), Unit.MONTH, 1, time(9), "Europe/Berlin")
    find = intents(monthly, "Europe/Berlin")
    intent = find(Kind.MAIN, monthly.nth(1))
    assert intent is not None
    assert intent.written == "2026-02-28T09:00:00"
    assert "step 1 from the anchor" in intent.sentence
    assert find(Kind.MAIN, monthly.nth(1) + timedelta(hours=1)) is None
    assert find(Kind.FOLLOW_UP, monthly.nth(1)) is None


def test_a_recurring_time_that_the_clocks_leave_out_says_so() -> None:
    daily = Every(date(2026, 3, 1), Unit.DAY, 1, time(2, 30), "Europe/Berlin")
    intent = intents(daily, "Europe/Berlin")(Kind.MAIN, daily.nth(28))
    assert intent is not None
    assert (intent.written, intent.clock) == (GAP, Clock.GAP)


def test_b_221_a_send_beside_an_event_names_the_event_and_the_clock_of_its_day() -> None:
    around = Around.of("2026-03-30T02:30:00", "Europe/Berlin", Duration.parse("P1D"), Duration.parse("PT2H"))
    find = intents(around, "Europe/Berlin")
    before = find(Kind.MAIN, around.remind_at)
    after = find(Kind.FOLLOW_UP, around.follow_up_at or around.event_at)
    assert before is not None
    assert after is not None
    assert (before.written, before.clock) == ("P1D before 2026-03-30T02:30:00", Clock.GAP)
    assert (after.written, after.clock) == ("PT2H after 2026-03-30T02:30:00", Clock.PLAIN)
    assert find(Kind.MAIN, around.event_at) is None


SCHEDULES: list[tuple[Schedule, str, str]] = [
    (Times.read([GAP], BERLIN), "times", "Once, at a time that was given."),
    (Times.read([GAP, TWICE], BERLIN), "times", "At 2 times that were given, one after the other."),
    (
        Every(date(2026, 1, 5), Unit.WEEK, 1, time(9), "Europe/Berlin"),
        "every",
        "Every week, counted from 2026-01-05, at 09:00 in Europe/Berlin.",
    ),
    (
        Every(date(2026, 1, 31), Unit.MONTH, 3, time(9), "Europe/Berlin"),
        "every",
        (
            "Every 3 months, counted from 2026-01-31, at 09:00 in Europe/Berlin; a month without that day has its "
            "last day instead."
        ),
    ),
    (
        Every(date(2024, 2, 29), Unit.YEAR, 1, time(9), "Europe/Berlin", Feb29.MAR1),
        "every",
        "Every year, counted from 2024-02-29, at 09:00 in Europe/Berlin; a year without that day has 1 March instead.",
    ),
    (
        Around.of("2026-03-30T09:00", "Europe/Berlin", Duration.parse("PT3H"), Duration.parse("PT2H")),
        "around",
        "PT3H before the event of 2026-03-30T09:00, and again PT2H after it.",
    ),
]


@pytest.mark.parametrize(("schedule", "code", "sentence"), SCHEDULES)
def test_a_schedule_in_words(schedule: Schedule, code: str, sentence: str) -> None:
    said = in_words(schedule, "Europe/Berlin")
    assert (said.code, said.sentence) == (code, sentence)


def test_the_ends_of_the_calendar_are_plain() -> None:
    assert clock_of(datetime(9999, 12, 31, 23), zone("America/New_York")) is Clock.PLAIN  # noqa: DTZ001
