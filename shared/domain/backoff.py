"""Retry schedules are tuples; a delay is a lookup and a jitter."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SEND: Final = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300))
"""Between the five attempts at one send time (B-058)."""

JITTER: Final = 0.1
"""A delay is never under 90 % nor over 110 % of its step (B-163)."""


def delay(tries: int, schedule: tuple[timedelta, ...], *, random: float) -> timedelta:
    """The wait after the `tries`-th failure (from 1), with jitter from `random` in [0, 1)."""
    step = schedule[min(tries, len(schedule)) - 1]
    return step * (1 - JITTER + 2 * JITTER * random)
