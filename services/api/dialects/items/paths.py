"""Names that stand in paths."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core.configurations import is_name
from shared.domain.refusal import Invalid, Problem

RESERVED_IDS: Final = frozenset({"list", "create", "update", "bulk"})
"""Words that follow `/api/reminder/item/`: an item of that id could not be reached there (B-077)."""


def segment(request: web.Request, name: str) -> str:
    """A caller's own name in the path, fit to be kept (B-011). Raises `Invalid`."""
    value: str = request.match_info[name]
    if not is_name(value):
        raise Invalid([Problem(name, "1 to 255 printable characters without /")])
    return value
