"""How many SMS a text is sent as (B-141). Pure.

A text of the GSM 03.38 alphabet has 160 places in one message, 153 in each of several; any other is UCS-2: 70, 67. No
character is cut in two: one that does not fit any more begins the next segment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""These take two places each: they are written after an escape."""

_ONE_GSM, _EACH_GSM = 160, 153
_ONE_UCS2, _EACH_UCS2 = 70, 67


def segments(text: str) -> int:
    """The number of SMS, at least 1."""
    if all(character in _BASIC or character in _EXTENSION for character in text):
        return _packed([1 + (character in _EXTENSION) for character in text], _ONE_GSM, _EACH_GSM)
    return _packed([1 + (character > "\uffff") for character in text], _ONE_UCS2, _EACH_UCS2)


def _packed(widths: Iterable[int], one: int, each: int) -> int:
    widths = list(widths)
    if sum(widths) <= one:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return parts


def quota_resets_in(now: datetime) -> int:
    """Whole seconds until the next calendar month in UTC, when quotas begin anew (B-143)."""
    now = now.astimezone(UTC)
    following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return ceil((following - now).total_seconds())
