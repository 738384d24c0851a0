"""Schedules in words: what was meant on the wall, and how that became the instant of one send (B-270). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.clock_reading import Clock, clock_of, clock_of_text
from shared.domain.occurrence import Kind
from shared.domain.recurrence import Every
from shared.domain.schedule import Around, BadTime, DstRule, Duration, Gap, Overlap, Schedule, Times, instant, zone
from shared.domain.steps import Feb29, Unit


@dataclass(frozen=True, slots=True)
class Said:
    """Something for a program and for a person."""

    code: str
    """A stable word."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What one send's instant follows from."""

    written: str
    """As the caller wrote it, or as the schedule's words say it."""
    clock: Clock
    sentence: str


_GAPS: Final = {Gap.FORWARD: "it is later by the gap", Gap.BEFORE: "it is the instant of the jump"}
_OVERLAPS: Final = {Overlap.FIRST: "the first one is meant", Overlap.SECOND: "the second one is meant"}


def in_words(schedule: Schedule, time_zone: str) -> Said:
    """A schedule as a sentence; the code is its kind."""
    match schedule:
        case Times(instants=(_,)):
            return Said("times", "Once, at a time that was given.")
        case Times(instants=instants):
            return Said("times", f"At {len(instants)} times that were given, one after the other.")
        case Every() as every:
            step = every.unit.value if every.number == 1 else f"{every.number} {every.unit.value}s"
            counted = f"Every {step}, counted from {every.anchor}, at {every.at:%H:%M} in {time_zone}"
            return Said("every", f"{counted}{_clamp(every)}.")
        case Around() as around:
            after = around.follow_up_after
            follow_up = f", and again {after.text} after it" if after else ""
            return Said("around", f"{around.remind_before.text} before the event of {around.event}{follow_up}.")


def intents(schedule: Schedule, time_zone: str) -> Callable[[Kind, datetime], Intent | None]:
    """Finds what a send's instant was made from; None where it does not follow from the schedule as it is now."""
    in_zone = zone(time_zone)
    match schedule:
        case Times() as times:
            return _in_times(times, in_zone)
        case Every() as every:
            return lambda kind, at: _in_every(every, at, in_zone) if kind is Kind.MAIN else None
        case Around() as around:
            return lambda kind, at: _in_around(around, kind, at, in_zone)


def _in_times(times: Times, in_zone: ZoneInfo) -> Callable[[Kind, datetime], Intent | None]:
    texts: dict[datetime, str] = {}
    for text in times.texts:
        texts.setdefault(instant(text, in_zone, times.dst), text)

    def find(kind: Kind, at: datetime) -> Intent | None:
        text = texts.get(at)
        if text is None or kind is not Kind.MAIN:
            return None
        return _intent(text, text, clock_of_text(text, in_zone), in_zone, times.dst)

    return find


def _in_every(every: Every, at: datetime, in_zone: ZoneInfo) -> Intent | None:
    try:
        start = max(0, every.steps.near(at.date()) - 2)
        n = next((n for n in range(start, start + 6) if every.nth(n) == at), None)
    except BadTime:
        return None
    if n is None:
        return None
    naive = datetime.combine(every.date_of(n), every.at)
    return _intent(
        naive.isoformat(),
        f"{naive.isoformat()}, step {n} from the anchor,",
        clock_of(naive, in_zone),
        in_zone,
        every.dst,
    )


def _in_around(around: Around, kind: Kind, at: datetime, in_zone: ZoneInfo) -> Intent | None:
    match kind:
        case Kind.MAIN if at == around.remind_at:
            return _beside(around, around.remind_before, "before", -1, in_zone)
        case Kind.FOLLOW_UP if around.follow_up_after and at == around.follow_up_at:
            return _beside(around, around.follow_up_after, "after", 1, in_zone)
        case _:
            return None


def _beside(around: Around, length: Duration, word: str, sign: int, in_zone: ZoneInfo) -> Intent:
    """Days are of the wall clock: the clock that matters is the one so many days away; otherwise the event's own."""
    clock = clock_of_text(around.event, in_zone)
    if length.days:
        shown = around.event_at.astimezone(in_zone).replace(tzinfo=None)
        there = clock_of(shown + sign * timedelta(days=length.days), in_zone)
        clock = there if there is not Clock.PLAIN else clock
    written = f"{length.text} {word} {around.event}"
    return _intent(written, written, clock, in_zone, around.dst)


def _intent(written: str, name: str, clock: Clock, in_zone: ZoneInfo, rule: DstRule) -> Intent:
    match clock:
        case Clock.OFFSET:
            sentence = f"{name} names its own offset: no rule of a zone moves it."
        case Clock.PLAIN:
            sentence = f"{name} is read as the clocks of {in_zone.key} show it."
        case Clock.GAP:
            sentence = f"{name} is a time that the clocks of {in_zone.key} jump over: {_GAPS[rule.gap]}."
        case Clock.OVERLAP:
            sentence = f"{name} is a time that the clocks of {in_zone.key} show twice: {_OVERLAPS[rule.overlap]}."
    return Intent(written, clock, sentence)


def _clamp(every: Every) -> str:
    if every.unit not in {Unit.MONTH, Unit.YEAR} or every.anchor.day <= 28:
        return ""
    if (every.unit, every.anchor.month, every.anchor.day) == (Unit.YEAR, 2, 29) and every.feb29 is Feb29.MAR1:
        return "; a year without that day has 1 March instead"
    return "; a month without that day has its last day instead"
