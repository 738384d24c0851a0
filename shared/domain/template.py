"""Texts with numbered placeholders: `{{1}}` is the first parameter (B-051)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MAX_PARAMETERS: Final = 100

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([1-9]\d{0,2})\s*\}\}", re.ASCII)


def placeholders(body: str) -> int:
    """How many parameters `body` takes: the highest number among its placeholders."""
    return max((int(number) for number in _PLACEHOLDER.findall(body)), default=0)


def render(body: str, parameters: Sequence[str]) -> str:
    """`body` with each placeholder replaced, in one pass: a parameter's own braces stay as they are."""
    return _PLACEHOLDER.sub(lambda found: parameters[int(found[1]) - 1], body)
