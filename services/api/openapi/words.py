"""Docstrings to what readers of the document see."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

_SOURCES: Final = re.compile(r"\s*\([^()]*\b[BC]-\d+[^()]*\)")
_SENTENCE: Final = re.compile(r"(?<=[.;])\s")


def told(thing: Any) -> str:
    """Its docstring on as few lines as it has paragraphs."""
    paragraphs = (inspect.getdoc(thing) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def summary(text: str) -> str:
    """The first sentence, or the part before its semicolon."""
    return _SENTENCE.split(_SOURCES.sub("", text), maxsplit=1)[0].rstrip(".;")


def without_sources(value: Any) -> Any:
    """The same, without the numbers of behaviours in descriptions: they mean nothing to callers."""
    match value:
        case dict():
            return {
                name: _text(inner) if name == "description" else without_sources(inner) for name, inner in value.items()
            }
        case list() | tuple():
            return [without_sources(inner) for inner in value]
    return value


def _text(value: Any) -> Any:
    return _SOURCES.sub("", value) if isinstance(value, str) else without_sources(value)
