"""Who may come in, and how a no sounds: `{success, error: {code, message, details}}` (B-086 to B-094)."""

from __future__ import annotations

from typing import Any, Final, Literal, NotRequired, assert_never

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key
from services.api.presented import account_key
from services.api.responses import json_response
from shared.domain import refusal as no


class Problem(TypedDict):
    field: str
    reason: str
    code: str


class Details(TypedDict):
    """Facts that help the caller on may stand beside these."""

    request_id: str
    field: NotRequired[str]
    value: NotRequired[str]
    suggestion: NotRequired[str]
    reason: NotRequired[str]
    problems: NotRequired[list[Problem]]
    more: NotRequired[int]


class Error(TypedDict):
    code: str
    message: str
    details: Details


class ErrorBody(TypedDict):
    """Every refusal."""

    success: Literal[False]
    error: Error


Connection = Any
"""The store's, handed through."""


async def authenticate(request: web.Request, db: Connection) -> Caller:
    """The account's key as `x-api-key` or `Authorization: Bearer` (B-087)."""
    return await authenticate_key(db, account_key(request))


def refuse(  # noqa: C901, PLR0911, PLR0912 - one case for each refusal, so that the type checker counts them
    refusal: no.Refusal, request_id: str
) -> web.Response:
    """Every refusal with its code, and the request's id in the details (B-094)."""
    match refusal:
        case no.Invalid():
            return _invalid(refusal, request_id)
        case no.Unauthenticated(expired=expired):
            code = "API_KEY_EXPIRED" if expired else "INVALID_API_KEY"
            return _error(401, code, "The API key is missing, wrong or expired.", request_id)
        case no.Forbidden(code=code, message=message):
            return _error(403, code.upper(), message, request_id)
        case no.NotFound(what=what, reason=reason):
            details = {"reason": reason} if reason else {}
            message = f"The {what} cannot be reached: {reason}." if reason else f"There is no such {what}."
            return _error(404, f"{what.upper()}_NOT_FOUND", message, request_id, details)
        case no.NotAllowed(methods=methods):
            return _error(405, "METHOD_NOT_ALLOWED", f"Use {', '.join(methods)}.", request_id)
        case no.TooSlow():
            return _error(408, "REQUEST_TIMEOUT", str(refusal), request_id)
        case no.Conflict(code=code, message=message, details=facts):
            return _error(409, code.upper(), message, request_id, facts)
        case no.TooLarge(limit=limit):
            return _error(413, "BODY_TOO_LARGE", str(refusal), request_id, {"limit": limit})
        case no.QuotaExceeded(retry_after=seconds):
            return _error(429, "SMS_LIMIT_EXCEEDED", str(refusal), request_id, wait=seconds)
        case no.RateLimited(retry_after=seconds):
            return _error(429, "RATE_LIMITED", str(refusal), request_id, wait=seconds)
        case no.Broken():
            return _error(500, "INTERNAL_ERROR", "Something broke on our side.", request_id)
        case no.Unavailable(retry_after=seconds):
            return _error(503, "UNAVAILABLE", str(refusal), request_id, wait=seconds)
        case _:
            assert_never(refusal)


_OWN_CODES: Final = frozenset(
    {"INVALID_PHONE_FORMAT", "INVALID_EMAIL_FORMAT", "MISSING_IDENTIFIER", "MISSING_PHONE_NUMBER"}
)
"""Problems with a code of their own in this dialect (B-092); any other is a VALIDATION_ERROR (B-093)."""


def _invalid(refusal: no.Invalid, request_id: str) -> web.Response:
    first = refusal.problems[0]
    own = next((problem for problem in refusal.problems if problem.code in _OWN_CODES), None)
    details: dict[str, Any] = {
        "field": (own or first).field,
        **_helping(own or first),
        "problems": [{"field": p.field, "reason": p.reason, "code": p.code} for p in refusal.problems],
    }
    if refusal.more:
        details["more"] = refusal.more
    return _error(400, own.code if own else "VALIDATION_ERROR", str(refusal), request_id, details)


def _helping(problem: no.Problem) -> dict[str, str]:
    """B-091."""
    facts = {"value": problem.value, "suggestion": problem.suggestion}
    return {name: fact for name, fact in facts.items() if fact is not None}


def _error(
    status: int,
    code: str,
    message: str,
    request_id: str,
    details: dict[str, Any] | None = None,
    *,
    wait: int | None = None,
) -> web.Response:
    error = {"code": code, "message": message, "details": {**(details or {}), "request_id": request_id}}
    headers = None if wait is None else {"Retry-After": str(wait)}
    return json_response({"success": False, "error": error}, status=status, headers=headers)
