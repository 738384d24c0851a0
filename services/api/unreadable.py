"""What is no HTTP that can be read never becomes a request: it is answered in JSON, and nothing of it is repeated.

The library would answer with the bytes that it could not read, and a secret may be among them (B-007).
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from uuid_utils.compat import uuid7

from services.api.error_body import render
from services.api.observe import PRIVATE
from shared.domain.refusal import Broken, Invalid, Problem

log = structlog.get_logger()


class HttpConnection(web.RequestHandler):
    """One connection of a caller, as the library handles it, but for its own words in errors."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it holds what was sent
    ) -> web.StreamResponse:
        """The answer, after which the connection is closed. Raises `ConnectionError` where another has begun."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        request_id = uuid7().hex
        log.warning("request_unreadable", request_id=request_id, error=type(exc).__name__)
        refusal = Broken() if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Invalid([_problem(exc)])
        response = render(refusal, request_id)
        response.headers.update(PRIVATE | {"X-Request-Id": request_id})
        response.force_close()
        return response


def _problem(exc: BaseException | None) -> Problem:
    if isinstance(exc, LineTooLong):
        return Problem("", "the request line or a header is too long", "http_too_long")
    return Problem("", "this is no HTTP request that can be read", "http_invalid")
