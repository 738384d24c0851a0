"""How many SMS a text is, and when a quota begins anew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.segments import quota_resets_in, segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 1_600, 11),
        ("à la carte: £5\n¿Qué?", 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("[" + "a" * 159, 2),
        ("ç", 1),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("a" * 70 + "ж", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_b_141_a_text_is_counted_in_segments_of_its_alphabet(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_b_141_no_character_is_cut_in_two() -> None:
    """153 is odd: of characters that take two places 76 fit, and 33 of an emoji into 67."""
    assert [segments("€" * n) for n in (152, 153)] == [2, 3]
    assert [segments("😀" * n) for n in (66, 67)] == [2, 3]


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), 3_600),
        (datetime(2028, 2, 28, tzinfo=UTC), 2 * 86_400),
        (datetime(2026, 4, 30, 23, 59, 59, 1, tzinfo=UTC), 1),
    ],
)
def test_b_143_the_quota_begins_anew_with_the_month_in_utc(now: datetime, seconds: int) -> None:
    assert quota_resets_in(now) == seconds
