"""Around an event: a reminder before it and a follow-up after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.duration import Duration
from shared.domain.wall_clock import DEFAULT_DST, DstRule, instant
from shared.domain.zones import zone


@dataclass(frozen=True, slots=True)
class Around:
    """An event and the sends around it. Make it with `of`, so that its instants exist."""

    event: str
    """As the caller wrote it; an offset in it wins over the zone (B-222, B-223)."""
    time_zone: str
    """Its clock also counts the days of the durations."""
    remind_before: Duration
    follow_up_after: Duration | None = None
    dst: DstRule = DEFAULT_DST

    @classmethod
    def of(
        cls,
        event: str,
        time_zone: str,
        remind_before: Duration,
        follow_up_after: Duration | None = None,
        dst: DstRule = DEFAULT_DST,
    ) -> Around:
        """Raises `BadTime` and `BadZone`."""
        around = cls(event, time_zone, remind_before, follow_up_after, dst)
        _ = around.remind_at, around.follow_up_at
        return around

    @property
    def event_at(self) -> datetime:
        return instant(self.event, zone(self.time_zone), self.dst)

    @property
    def remind_at(self) -> datetime:
        """B-221."""
        return self.remind_before.before(self.event_at, zone(self.time_zone), self.dst)

    @property
    def follow_up_at(self) -> datetime | None:
        """B-225."""
        if self.follow_up_after is None:
            return None
        return self.follow_up_after.after(self.event_at, zone(self.time_zone), self.dst)
