"""Topic bindings as the broker reads them: words between dots, `*` for one word, `#` for any number."""

from __future__ import annotations

from collections.abc import Sequence


def matches(binding: str, routing_key: str) -> bool:
    """Whether a queue bound with `binding` receives `routing_key`."""
    return _words_match(binding.split("."), routing_key.split("."))


def _words_match(pattern: Sequence[str], words: Sequence[str]) -> bool:
    if not pattern:
        return not words
    first, rest = pattern[0], pattern[1:]
    if first == "#":
        return any(_words_match(rest, words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and first in {"*", words[0]} and _words_match(rest, words[1:])
