"""The error envelope of the dialects whose sources show none of their own: one shape, every refusal (B-255)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NotRequired, assert_never

from aiohttp import web
from typing_extensions import TypedDict

from services.api.responses import json_response
from shared.domain import refusal as no


class Detail(TypedDict):
    """One thing that is wrong with the request."""

    field: str
    reason: str
    code: str


class Error(TypedDict):
    """Facts that help the caller on may stand beside these."""

    code: str
    message: str
    details: list[Detail]
    requestId: str
    more: NotRequired[int]


class ErrorBody(TypedDict):
    """Every refusal."""

    error: Error


_AS_THEY_ARE: Final[Mapping[str, str]] = MappingProxyType({})


def render(  # noqa: C901, PLR0911 - one case for each refusal, so that the type checker counts them
    refusal: no.Refusal, request_id: str, *, fields: Mapping[str, str] = _AS_THEY_ARE
) -> web.Response:
    """`{"error": {code, message, details: [{field, reason, code}], requestId}}`, with the status that belongs to it.

    `more` beside `details` counts the problems that are too many to be told.

    `fields` gives the dialect's name for what the core names otherwise.
    """
    match refusal:
        case no.Invalid(problems=problems, more=more):
            details = [{"field": fields.get(p.field, p.field), "reason": p.reason, "code": p.code} for p in problems]
            return _error(400, "invalid_request", "The request is not valid.", request_id, details, facts=_more(more))
        case no.Unauthenticated(expired=expired):
            headers = {"WWW-Authenticate": 'Bearer realm="belltower"'}
            code = "credential_expired" if expired else "unauthenticated"
            return _error(401, code, str(refusal), request_id, headers=headers)
        case no.Forbidden(code=code, message=message):
            return _error(403, code, message, request_id)
        case no.NotFound(what=what):
            return _error(404, f"{what}_not_found", str(refusal), request_id)
        case no.NotAllowed(methods=methods):
            return _error(405, "method_not_allowed", f"Use {', '.join(methods)}.", request_id)
        case no.TooSlow():
            return _error(408, "body_too_slow", str(refusal), request_id)
        case no.Conflict(code=code, message=message, details=facts):
            return _error(409, code, message, request_id, facts=facts)
        case no.TooLarge(limit=limit):
            return _error(413, "body_too_large", str(refusal), request_id, facts={"limit": limit})
        case no.QuotaExceeded(retry_after=seconds) | no.RateLimited(retry_after=seconds):
            return _error(429, "too_many_requests", str(refusal), request_id, headers={"Retry-After": str(seconds)})
        case no.Broken():
            return _error(500, "internal_error", "Something broke on our side.", request_id)
        case no.Unavailable(retry_after=seconds):
            return _error(503, "unavailable", str(refusal), request_id, headers={"Retry-After": str(seconds)})
        case _:
            assert_never(refusal)


def _more(count: int) -> dict[str, int]:
    return {"more": count} if count else {}


def _error(
    status: int,
    code: str,
    message: str,
    request_id: str,
    details: list[dict[str, str]] | None = None,
    *,
    facts: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    error = {"code": code, "message": message, "details": details or [], "requestId": request_id, **(facts or {})}
    return json_response({"error": error}, status=status, headers=headers)
