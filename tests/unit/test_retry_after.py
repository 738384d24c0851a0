"""Reading Retry-After, whatever a provider or a webhook receiver writes into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.retry_after import retry_after

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
LONGEST = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5), ("0", 0), (" 7 ", 7), ("1.5", 1.5), ("-1", 0), ("1000000000", 900), ("9" * 60, 900),
        ("9" * 5000, 900), ("120", 120), ("-5", 0),
        ("Tue, 01 Jan 2030 12:01:00 GMT", 60), ("Tue, 01 Jan 2030 11:00:00 GMT", 0),
        ("Tue, 01 Jan 2041 00:00:00 GMT", 900),
        ("soon", None), ("", None), (None, None), ("٣", None), ("1_0", None), ("nan", None), ("1e9", None),
        ("Tue, 99 Foo 2030 99:99:99 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_clamped_and_garbage_says_nothing_b_163(header: str | None, seconds: float | None) -> None:
    wait = retry_after(header, now=NOW, longest=LONGEST)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_a_date_in_retry_after_is_measured_by_the_servers_own_clock() -> None:
    wait = retry_after(
        "Tue, 01 Jan 2030 15:00:30 GMT", now=NOW, longest=LONGEST, server_date="Tue, 01 Jan 2030 15:00:00 GMT"
    )
    assert wait == timedelta(seconds=30)


@given(st.text(max_size=80))
def test_any_retry_after_is_read_without_breaking(text: str) -> None:
    found = retry_after(text, now=NOW, longest=LONGEST)
    assert found is None or timedelta(0) <= found <= LONGEST
