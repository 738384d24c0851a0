"""Texts that a reminder's metadata fills: `{eventLocation}` is the value of that name (C-22). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

Scalar = str | int | float | bool | None

_MACRO: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.\-]{0,99})\}", re.ASCII)


class BadMacro(ValueError):
    """A text that no values would make whole; the message says why."""


class MissingValue(ValueError):
    """`names` are the macros that have no value."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"no value for {', '.join(names)}")
        self.names = tuple(names)


def check_macros(text: str) -> None:
    """Raise `BadMacro` for braces that are no macro: they would be sent as they stand."""
    rest = _MACRO.sub("", text)
    if "{" in rest or "}" in rest:
        raise BadMacro("holds { or } that is no macro; those are written like {eventLocation}")


def macros(text: str) -> tuple[str, ...]:
    """The names that `text` needs values for, each once, in the order of the text."""
    return tuple(dict.fromkeys(_MACRO.findall(text)))


def fill(text: str, values: Mapping[str, Scalar]) -> str:
    """`text` with each macro replaced, in one pass: a value's own braces stay as they are. Null is no value.

    Raises `MissingValue`.
    """
    missing = [name for name in macros(text) if values.get(name) is None]
    if missing:
        raise MissingValue(missing)
    return _MACRO.sub(lambda found: _written(values[found[1]]), text)


def _written(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
