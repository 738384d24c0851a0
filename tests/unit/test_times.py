"""Zones: which names there are, and what a clock in one of them means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.schedule import BadZone, instant, zone, zone_names


@pytest.mark.parametrize(
    ("text", "in_zone", "utc"),
    [
        ("2025-05-29T08:00:00+07:00", "UTC", "2025-05-29T01:00:00"),
        ("2025-05-29T08:00:00+07:00", "America/New_York", "2025-05-29T01:00:00"),
        ("2025-05-29T08:00:00", "Asia/Jakarta", "2025-05-29T01:00:00"),
        ("2025-05-29t08:00z", "Asia/Jakarta", "2025-05-29T08:00:00"),
        ("2025-05-29 08:00:00-0330", "UTC", "2025-05-29T11:30:00"),
        ("2025-05-29T08:00:00.123456789Z", "UTC", "2025-05-29T08:00:00.123456"),
    ],
)
def test_b_025_an_offset_wins_over_the_zone(text: str, in_zone: str, utc: str) -> None:
    assert instant(text, zone(in_zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "in_zone", "utc"),
    [
        ("2026-03-29T02:00:00", "Europe/Berlin", "2026-03-29T01:00:00"),
        ("2026-03-29T02:59:59", "Europe/Berlin", "2026-03-29T01:59:59"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00"),
        ("2026-03-08T02:30:00", "America/New_York", "2026-03-08T07:30:00"),
        ("2026-11-01T01:30:00", "America/New_York", "2026-11-01T05:30:00"),
        ("2011-12-30T12:00:00", "Pacific/Apia", "2011-12-30T22:00:00"),  # a day that never was
        ("2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-03T15:45:00"),  # a gap of half an hour
    ],
)
def test_b_027_a_gap_moves_forward_and_an_overlap_is_its_first(text: str, in_zone: str, utc: str) -> None:
    assert instant(text, zone(in_zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("name", ["UTC", "Asia/Jakarta", "America/New_York", "EST", "Etc/GMT+7", "Asia/Calcutta"])
def test_b_026_iana_names_are_zones(name: str) -> None:
    assert zone(name).key == name


BAD_ZONES = [
    *("", " ", "utc", "Utc ", " UTC", "UTC\n", "asia/jakarta", "EUROPE/BERLIN", "est", "PST", "IST", "CEST", "Local"),
    *("UTC+7", "+07:00", "GMT+7", "EST5", "localtime", "posixrules", "Factory", "tzdata.zi", "zone.tab", "iso3166.tab"),
    *("Asia", "Asia/", "Asia/Jakarta/", "Asia\\Jakarta", "Asia//Jakarta", "Asia/Jakarta\0", "Аsia/Jakarta", "\ud800"),
    *("../UTC", "..", ".", "./UTC", "/UTC", "Asia/../UTC", "right/UTC", "posix/UTC", "__init__.py", "zones"),
    "A" * 100_000,
    "Asia/" * 50_000,
]


@pytest.mark.parametrize("name", BAD_ZONES, ids=lambda name: ascii(name)[:30])
def test_b_026_anything_else_is_not(name: str) -> None:
    with pytest.raises(BadZone):
        zone(name)


@given(
    moment=some.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),  # noqa: DTZ001
    in_zone=some.sampled_from(sorted(zone_names())),
)
def test_any_naive_time_has_an_instant_that_is_not_before_it(moment: datetime, in_zone: str) -> None:
    """B-027: read back in its zone it shows the same clock, or a later one where it fell into a gap."""
    shown = instant(moment.isoformat(), zone(in_zone)).astimezone(zone(in_zone)).replace(tzinfo=None)
    assert timedelta(0) <= shown - moment <= timedelta(days=1)
