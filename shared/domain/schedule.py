"""When: a list of times, every so often, or around an event; and how that is stored (B-270).

All reading of times and all time-zone arithmetic is in the files that this one gathers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.domain.appointment import Around
from shared.domain.duration import BadDuration, Duration
from shared.domain.recurrence import Every
from shared.domain.steps import Feb29, Steps, Unit, advance
from shared.domain.wall_clock import (
    DEFAULT_DST,
    BadTime,
    DstRule,
    Gap,
    Overlap,
    at_wall_clock,
    has_offset,
    instant,
    intent,
    read_date,
)
from shared.domain.zones import BadZone, tzdata_version, zone, zone_names

__all__ = [
    "DEFAULT_DST",
    "MAX_SEND_TIMES",
    "Around",
    "BadDuration",
    "BadTime",
    "BadZone",
    "DstRule",
    "Duration",
    "Every",
    "Feb29",
    "Gap",
    "Overlap",
    "Schedule",
    "Steps",
    "Times",
    "Unit",
    "advance",
    "at_wall_clock",
    "has_offset",
    "instant",
    "intent",
    "read_date",
    "schedule_of",
    "to_json",
    "tzdata_version",
    "zone",
    "zone_names",
]

MAX_SEND_TIMES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Times:
    """An explicit list of instants."""

    instants: tuple[datetime, ...]
    """Ascending, without repeats (B-028)."""
    texts: tuple[str, ...] = field(default=(), compare=False)
    """As the caller wrote them, in the caller's order; empty where nobody wrote them."""
    dst: DstRule = field(default=DEFAULT_DST, compare=False)
    """How `texts` were read."""

    @classmethod
    def of(cls, instants: Iterable[datetime], texts: Iterable[str] = (), dst: DstRule = DEFAULT_DST) -> Times:
        return cls(tuple(sorted(set(instants))), tuple(texts), dst)

    @classmethod
    def read(cls, texts: Sequence[str], in_zone: ZoneInfo, dst: DstRule = DEFAULT_DST) -> Times:
        """Raises `BadTime`."""
        return cls.of((instant(text, in_zone, dst) for text in texts), texts, dst)


Schedule = Times | Every | Around


def to_json(schedule: Schedule) -> dict[str, Any]:
    """The wall-clock intent as it is stored; its zone stands beside it (B-270)."""
    return _intent(schedule) | _kept(schedule.dst)


def schedule_of(stored: Mapping[str, Any], time_zone: str) -> Schedule:
    """What `to_json` stored, with instants by the rules of today."""
    dst = DstRule(Gap(stored["dst"]["gap"]), Overlap(stored["dst"]["overlap"])) if "dst" in stored else DEFAULT_DST
    match stored["kind"]:
        case "times":
            return Times.read(stored["send_times"], zone(time_zone), dst)
        case "every":
            return Every(
                anchor=read_date(stored["anchor"]),
                unit=Unit(stored["unit"]),
                number=stored["number"],
                at=time.fromisoformat(stored["at"]),
                time_zone=time_zone,
                feb29=Feb29(stored["feb29"]),
                dst=dst,
            )
        case "around":
            after = stored.get("follow_up_after")
            return Around.of(
                event=stored["event"],
                time_zone=time_zone,
                remind_before=Duration.parse(stored["remind_before"]),
                follow_up_after=None if after is None else Duration.parse(after),
                dst=dst,
            )
        case kind:
            raise ValueError(f"no such kind of schedule: {kind}")


def _intent(schedule: Schedule) -> dict[str, Any]:
    match schedule:
        case Times():
            written = schedule.texts or [moment.astimezone(UTC).isoformat() for moment in schedule.instants]
            return {"kind": "times", "send_times": list(written)}
        case Every():
            return {
                "kind": "every",
                "anchor": schedule.anchor.isoformat(),
                "unit": schedule.unit.value,
                "number": schedule.number,
                "at": schedule.at.isoformat().removesuffix(":00"),
                "feb29": schedule.feb29.value,
            }
        case Around():
            after = schedule.follow_up_after
            follow_up = {} if after is None else {"follow_up_after": after.text}
            return {
                "kind": "around",
                "event": schedule.event,
                "remind_before": schedule.remind_before.text,
            } | follow_up


def _kept(dst: DstRule) -> dict[str, Any]:
    return {} if dst == DEFAULT_DST else {"dst": {"gap": dst.gap.value, "overlap": dst.overlap.value}}
