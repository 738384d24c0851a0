"""Texts with numbered placeholders: `{{1}}` is the first parameter (B-051)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MAX_PARAMETERS: Final = 100

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([1-9]\d{0,2})\s*\}\}", re.ASCII)


class BadBody(ValueError):
    """A text that no list of parameters would make whole; the message says why."""


def check_body(body: str) -> None:
    """Raise `BadBody` for braces that are no placeholder: they would be sent as they stand."""
    rest = _PLACEHOLDER.sub("", body)
    if "{{" in rest or "}}" in rest:
        raise BadBody("holds {{ or }} that is no placeholder; those are {{1}}, {{2}} and so on")
    if placeholders(body) > MAX_PARAMETERS:
        raise BadBody(f"holds a placeholder over {{{{{MAX_PARAMETERS}}}}}")


def placeholders(body: str) -> int:
    """How many parameters `body` takes: the highest number among its placeholders."""
    return max((int(number) for number in _PLACEHOLDER.findall(body)), default=0)


def render(body: str, parameters: Sequence[str]) -> str:
    """`body` with each placeholder replaced, in one pass: a parameter's own braces stay as they are."""
    return _PLACEHOLDER.sub(lambda found: parameters[int(found[1]) - 1], body)
