"""The keys that a request presents in its headers."""

from __future__ import annotations

from aiohttp import web


def bearer(request: web.Request) -> str | None:
    """The token of `Authorization: Bearer`; None where there is none, or more than one header."""
    headers = request.headers.getall("Authorization", [])
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def account_key(request: web.Request) -> str:
    """The one key in `x-api-key` and `Authorization: Bearer`; empty where there is none, or two that differ."""
    keys = set(request.headers.getall("X-Api-Key", []))
    if "Authorization" in request.headers:
        keys.add(bearer(request) or "")
    return keys.pop() if len(keys) == 1 else ""
