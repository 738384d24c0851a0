"""The invariants I8 to I10: memory and connections stay bounded, others are not slowed down, nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.rig.invariants import Finding

MOST_MB: Final = 256.0
FLAT: Final = 1.10
"""The last third of a run against its middle third."""
SLOWED: Final = 2.0
"""How much slower a fault may make those whom it does not concern."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process (`tests.rig.watch`)."""

    process: str
    at: float
    """Seconds since the watch began."""
    megabytes: float
    files: int
    """Open file descriptors."""


def bounded(samples: Sequence[Sample], *, most_mb: float = MOST_MB, most_files: int = 512) -> Iterator[Finding]:
    """I8: no process grows over the limit, and none goes on growing."""
    for name in sorted({sample.process for sample in samples}):
        own = [sample for sample in samples if sample.process == name]
        largest, files = max(s.megabytes for s in own), max(s.files for s in own)
        if largest > most_mb:
            yield Finding("I8", name, f"{largest:.0f} MB")
        if files > most_files:
            yield Finding("I8", name, f"{files} open files")
        third = len(own) // 3
        if third >= 3:
            middle, last = (median(s.megabytes for s in part) for part in (own[third : 2 * third], own[-third:]))
            if last > middle * FLAT and last - middle > 8:
                yield Finding("I8", name, f"grew from {middle:.0f} MB to {last:.0f} MB in the last third of the run")


def p99(seconds: Sequence[float]) -> float:
    """The 99th of a hundred."""
    return sorted(seconds)[max(0, -(-len(seconds) * 99 // 100) - 1)]


def isolated(name: str, alone: Sequence[float], beside: Sequence[float], *, floor: float = 0.05) -> Iterator[Finding]:
    """I9: beside a fault that does not concern it, `name` takes less than twice as long; `floor` in seconds."""
    if not alone or not beside:
        yield Finding("I9", name, "there is nothing to compare")
    elif p99(beside) > max(SLOWED * p99(alone), floor):
        yield Finding("I9", name, f"p99 {p99(beside):.3f} s beside the fault, {p99(alone):.3f} s without")


def no_leak(canaries: Mapping[str, str], places: Mapping[str, bytes]) -> Iterator[Finding]:
    """I10: none of these secrets and numbers stands in any of these logs, dumps, metrics and messages."""
    for place, text in places.items():
        for name, canary in canaries.items():
            hits = text.count(canary.encode())
            if hits:
                yield Finding("I10", place, f"holds {name} {hits} times")
