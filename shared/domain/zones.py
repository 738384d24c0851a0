"""Which time zones there are: the allow-list of IANA names, and the release of their rules."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo, available_timezones, reset_tzpath

# Rules come from the pinned package alone: an old machine's own zone files must not decide when a message goes out.
reset_tzpath(to=())

_NOT_ZONES: Final = frozenset({"localtime", "posixrules", "Factory", "tzdata.zi"})
_NOT_ZONE_FOLDERS: Final = ("right/", "posix/")


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
    """The zone of that IANA name, letter for letter (B-026). Raises `BadZone`."""
    if name not in zone_names():
        raise BadZone("not an IANA time zone name, such as Asia/Jakarta")
    return _loaded(name)


@cache
def _loaded(name: str) -> ZoneInfo:
    """The library keeps eight zones; reading one again costs more than all that is computed with it."""
    return ZoneInfo(name)
