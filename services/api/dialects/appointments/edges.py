"""Who may come in, and how a no sounds: `{message, code, details}` (B-207, B-208, B-249, B-250)."""

from __future__ import annotations

from typing import Any, Final, NotRequired, assert_never

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key
from services.api.dialects.appointments.translate import FIELDS
from services.api.presented import account_key
from services.api.responses import json_response
from shared.domain import refusal as no


class Problem(TypedDict):
    field: str
    reason: str
    code: str


class Details(TypedDict):
    """Facts that help the caller on may stand beside these."""

    requestId: str
    problems: NotRequired[list[Problem]]
    more: NotRequired[int]


class ErrorBody(TypedDict):
    """Every refusal."""

    message: str
    code: str
    details: Details


Connection = Any
"""The store's, handed through."""

_OWN_CODES: Final = frozenset({"unknown_event_type", "missing_message", "missing_macro_value", "invalid_phone"})
"""Problems that give the whole answer their code; else it is VALIDATION_ERROR."""


async def authenticate(request: web.Request, db: Connection) -> Caller:
    """The account's key as `Authorization: Bearer` or `x-api-key` (B-207)."""
    return await authenticate_key(db, account_key(request))


def refuse(  # noqa: C901, PLR0911 - one case for each refusal, so that the type checker counts them
    refusal: no.Refusal, request_id: str
) -> web.Response:
    """Every refusal with its code, and the request's id in the details."""
    match refusal:
        case no.Invalid():
            return _invalid(refusal, request_id)
        case no.Unauthenticated():
            headers = {"WWW-Authenticate": 'Bearer realm="belltower"'}
            return _error(401, "UNAUTHORIZED", str(refusal), request_id, headers=headers)
        case no.Forbidden(code=code, message=message):
            return _error(403, code.upper(), message, request_id)
        case no.NotFound(what=what):
            return _error(404, f"{what.upper()}_NOT_FOUND", f"There is no such {what.replace('_', ' ')}.", request_id)
        case no.NotAllowed(methods=methods):
            return _error(405, "METHOD_NOT_ALLOWED", f"Use {', '.join(methods)}.", request_id)
        case no.TooSlow():
            return _error(408, "REQUEST_TIMEOUT", str(refusal), request_id)
        case no.Conflict(code=code, message=message, details=facts):
            # The document knows no 409: only our own header's conflicts answer it, as at every door.
            status = 409 if code.startswith("idempotency_") else 400
            return _error(status, code.upper(), message, request_id, facts)
        case no.TooLarge(limit=limit):
            return _error(413, "BODY_TOO_LARGE", str(refusal), request_id, {"limit": limit})
        case no.QuotaExceeded(retry_after=seconds) | no.RateLimited(retry_after=seconds):
            headers = {"Retry-After": str(seconds)}
            return _error(429, "TOO_MANY_REQUESTS", str(refusal), request_id, headers=headers)
        case no.Broken():
            return _error(500, "INTERNAL_ERROR", "Something broke on our side.", request_id)
        case no.Unavailable(retry_after=seconds):
            return _error(503, "UNAVAILABLE", str(refusal), request_id, headers={"Retry-After": str(seconds)})
        case _:
            assert_never(refusal)


def _invalid(refusal: no.Invalid, request_id: str) -> web.Response:
    """Every problem stands in `details.problems`; `more` counts those beyond what is told."""
    codes = {problem.code for problem in refusal.problems}
    own = codes.pop() if len(codes) == 1 else "validation_error"
    problems = [{"field": FIELDS.get(p.field, p.field), "reason": p.reason, "code": p.code} for p in refusal.problems]
    message = "; ".join(f"{p['field']}: {p['reason']}" if p["field"] else p["reason"] for p in problems)
    details: dict[str, Any] = {"problems": problems}
    if refusal.more:
        details["more"] = refusal.more
    code = own if own in _OWN_CODES else "validation_error"
    return _error(400, code.upper(), message, request_id, details)


def _error(
    status: int,
    code: str,
    message: str,
    request_id: str,
    details: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
) -> web.Response:
    body = {"message": message, "code": code, "details": {**(details or {}), "requestId": request_id}}
    return json_response(body, status=status, headers=headers)
