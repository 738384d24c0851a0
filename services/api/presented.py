"""The keys that a request presents."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.parse import SECRET_PARAMETER

ACCOUNT_PROOFS: Final = {
    "account_key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The account's key, `sk_live_…`.",
    },
    "account_bearer": {"type": "http", "scheme": "bearer", "description": "The account's key, `sk_live_…`."},
}
"""How OpenAPI names the places of `account_key`."""

SECRET_PROOFS: Final = {
    "secret_header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Reminder-Secret",
        "description": "The configuration's primary or secondary key.",
    },
    "secret_query": {
        "type": "apiKey",
        "in": "query",
        "name": SECRET_PARAMETER,
        "description": "The configuration's primary or secondary key. Proxies log URLs: a header keeps it out of them.",
    },
    "secret_bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The configuration's primary or secondary key.",
    },
}
"""How OpenAPI names the places of `configuration_secret`."""


def bearer(request: web.Request) -> str | None:
    """The token of `Authorization: Bearer`; None where there is none, or more than one header."""
    headers = request.headers.getall("Authorization", [])
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def account_key(request: web.Request) -> str:
    """The one key in `x-api-key` and `Authorization: Bearer`; empty where there is none, or two that differ."""
    return _the_one([*request.headers.getall("X-Api-Key", []), *_in_authorization(request)])


def configuration_secret(request: web.Request) -> str:
    """The one secret in `?secret=`, `X-Reminder-Secret` and `Authorization: Bearer`, each given once at most.

    Empty where there is none, or two that differ: whatever is given must be right, in whichever place it stands.
    """
    in_query = request.query.getall(SECRET_PARAMETER, [])
    in_header = request.headers.getall("X-Reminder-Secret", [])
    if len(in_query) > 1 or len(in_header) > 1:
        return ""
    return _the_one([*in_query, *in_header, *_in_authorization(request)])


def _in_authorization(request: web.Request) -> list[str]:
    return [bearer(request) or ""] if "Authorization" in request.headers else []


def _the_one(keys: list[str]) -> str:
    return keys[0] if keys and all(key == keys[0] for key in keys) else ""
