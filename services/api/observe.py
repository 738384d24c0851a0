"""Around every request: an id, one log line without paths, queries or bodies, and headers that keep caches out.

The log names the route's template, never what a caller put into it: a key may stand in the query (B-007).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from uuid_utils.compat import uuid7

from services.api.dialect import Dialect
from services.api.error_body import render
from services.api.parse import check_target
from services.api.request_keys import ACCOUNT_ID, REQUEST_ID
from services.api.responses import empty_response
from shared.domain.refusal import Broken, NotAllowed, NotFound, Refusal, Refused
from shared.runtime.logging import where

log = structlog.get_logger()

PRIVATE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Server": "Belltower",
}
"""On every answer. Without a `Server` of its own the library would name itself, Python and both versions."""


def observer(dialects: Sequence[Dialect]) -> Middleware:
    """The middleware. What no route takes is refused by the dialect with the longest prefix that fits, if any."""
    by_length = sorted(dialects, key=lambda dialect: len(dialect.prefix), reverse=True)

    def refused(request: web.Request, refusal: Refusal) -> web.Response:
        refuse = next((d.refuse for d in by_length if request.path.startswith(d.prefix)), render)
        return refuse(refusal, request[REQUEST_ID])

    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check_target(request)
            return await handler(request)
        except Refused as refusal:
            return refused(request, refusal)  # type: ignore[arg-type]
        except web.HTTPMethodNotAllowed as error:
            return _other_method(request, error, refused)
        except web.HTTPNotFound:
            return refused(request, NotFound("path"))
        except Exception as error:  # noqa: BLE001 - the edge: a bug becomes a logged 500
            log.error("request_broke", error=where(error))
            return refused(request, Broken())

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = uuid7().hex
        started = time.perf_counter()
        structlog.contextvars.unbind_contextvars("reminder_id")
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = await answer(request, handler)
            response.headers.update(PRIVATE | {"X-Request-Id": request_id})
            if response.status in {408, 413} or request.content.exception() is not None:
                response.force_close()
            _log(request, response, time.perf_counter() - started)
        return response

    return observe


async def keep_private(_: web.Request, response: web.StreamResponse) -> None:
    """For what the library answers by itself, before a request comes here."""
    for name, value in PRIVATE.items():
        response.headers[name] = value


def _other_method(
    request: web.Request,
    error: web.HTTPMethodNotAllowed,
    refused: Callable[[web.Request, Refusal], web.Response],
) -> web.Response:
    methods = sorted(error.allowed_methods)
    allow = {"Allow": ", ".join(methods)}
    if request.method == "OPTIONS":
        return empty_response(headers=allow)
    response = refused(request, NotAllowed(methods))
    response.headers.update(allow)
    return response


def _log(request: web.Request, response: web.StreamResponse, seconds: float) -> None:
    resource = request.match_info.route.resource
    account = request.get(ACCOUNT_ID)
    log.info(
        "request",
        method=request.method,
        route=resource.canonical if resource is not None else None,
        status=response.status,
        duration_ms=round(seconds * 1000, 2),
        account_id=str(account) if account else None,
    )
