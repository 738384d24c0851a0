"""When: all reading of times and all time-zone arithmetic live here.

A naive time in a gap moves forward by the gap; in an overlap it is the first of the two (B-027).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo, available_timezones, reset_tzpath

MAX_SEND_TIMES: Final = 1_000

# Rules come from the pinned package alone: an old machine's own zone files must not decide when a message goes out.
reset_tzpath(to=())

_NOT_ZONES: Final = frozenset({"localtime", "posixrules", "Factory", "tzdata.zi"})
_NOT_ZONE_FOLDERS: Final = ("right/", "posix/")
_DATE_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ]"
    r"(?P<clock>(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?)"
    r"(?P<offset>[Zz]|[+-](?:0\d|1[0-8]):?[0-5]\d)?",
    re.ASCII,
)


class BadTime(ValueError):
    """Not a date and time, or not one that can be kept; the message says what would be."""


class BadZone(ValueError):
    """Not a time zone of the allow-list."""


@cache
def zone_names() -> frozenset[str]:
    """The IANA names that may be used: no folders of variants, no file names, nothing of this machine."""
    return frozenset(
        name for name in available_timezones() if name not in _NOT_ZONES and not name.startswith(_NOT_ZONE_FOLDERS)
    )


@cache
def tzdata_version() -> str:
    """The release of the time-zone rules that instants are computed with, such as `2026.6`."""
    return version("tzdata")


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises `BadZone`."""
    if name not in zone_names():
        raise BadZone("not an IANA time zone name, such as Asia/Jakarta")
    return ZoneInfo(name)


def instant(text: str, in_zone: ZoneInfo) -> datetime:
    """The UTC instant that `text` (ISO 8601, date and time) names; an offset in it wins over `in_zone` (B-025).

    Raises `BadTime`.
    """
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise BadTime("not an ISO 8601 date and time, such as 2025-05-29T08:00:00+07:00")
    clock, offset = found["clock"], found["offset"]
    seconds, _, fraction = clock.partition(".")
    try:
        naive = datetime.fromisoformat(f"{found['date']}T{seconds}")
        if fraction:
            naive = naive.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if offset is None:
            return naive.replace(tzinfo=in_zone, fold=0).astimezone(UTC)
        sign = offset.upper().replace("Z", "+00:00")
        return datetime.fromisoformat(f"{naive.isoformat()}{sign}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadTime("no such date and time") from error


@dataclass(frozen=True, slots=True)
class Times:
    """An explicit list of instants."""

    instants: tuple[datetime, ...]
    """Ascending, without repeats (B-028)."""

    @classmethod
    def of(cls, instants: Iterable[datetime]) -> Times:
        return cls(tuple(sorted(set(instants))))


def undelivered(instants: Sequence[datetime], delivered: Iterable[datetime]) -> tuple[datetime, ...]:
    """`instants` without those that were delivered already: they are never sent again (B-073)."""
    done = frozenset(delivered)
    return tuple(moment for moment in instants if moment not in done)
