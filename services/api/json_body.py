"""What the library that reads JSON lets pass, and no two readers agree about: refused, wherever it stands.

A name given twice, numbers that JSON does not have, and the NUL character, which no store can keep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any, Final

from services.api.problems import name_of
from shared.domain.refusal import Problem

_DIGITS: Final = 400
"""More than any number has that a float can hold."""


class _Twice(dict[str, Any]):
    """An object with names that were given more than once."""

    names: tuple[str, ...] = ()


class _NoNumber:
    """Stands where `NaN`, `Infinity` or a number out of range stood."""


def lax_problems(body: bytes) -> list[Problem]:
    """The problems of a body whose syntax and depth a stricter reader has accepted."""
    reader = _Reader()
    value = reader.decode(body.decode())
    if not reader.suspicious and b"\\u0000" not in body:
        return []
    return list(_walk(value, ()))


class _Reader:
    """Notes while it reads whether there is anything to look for; most bodies are fine."""

    def __init__(self) -> None:
        self.suspicious = False
        self.decode = JSONDecoder(
            object_pairs_hook=self._object, parse_float=self._float, parse_int=self._int, parse_constant=self._constant
        ).decode

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.suspicious = True
        twice, seen = _Twice(found), set[str]()
        twice.names = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
        return twice

    def _float(self, text: str) -> object:
        return 0 if math.isfinite(float(text)) else self._constant(text)

    def _int(self, text: str) -> object:
        return 0 if len(text) <= _DIGITS else self._constant(text)

    def _constant(self, _: str) -> object:
        self.suspicious = True
        return _NoNumber()


def _walk(value: object, place: tuple[int | str, ...]) -> Iterator[Problem]:
    match value:
        case dict():
            if isinstance(value, _Twice):
                yield from (
                    Problem(name_of((*place, name)), "is given more than once", "repeated") for name in value.names
                )
            for name, inner in value.items():
                if "\0" in name:
                    yield Problem(name_of(place), "has a name with a NUL character", "nul")
                yield from _walk(inner, (*place, name))
        case list():
            for index, inner in enumerate(value):
                yield from _walk(inner, (*place, index))
        case str() if "\0" in value:
            yield Problem(name_of(place), "holds a NUL character", "nul")
        case _NoNumber():
            yield Problem(name_of(place), "is no number that JSON has", "no_number")
