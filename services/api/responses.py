"""JSON answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`value` as JSON: UUIDs as text, aware times as RFC 3339 with `Z`."""
    body = orjson.dumps(value, option=orjson.OPT_UTC_Z)
    return web.Response(status=status, body=body, headers=headers, content_type="application/json", charset="utf-8")


def empty_response(*, status: int = 204, headers: Mapping[str, str] | None = None) -> web.Response:
    """No body at all."""
    return web.Response(status=status, headers=headers)
