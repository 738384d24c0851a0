"""Who may come in, how a no sounds: `{error: {message, error_code}}` (B-187, B-199, B-205)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key
from services.api.core.crm import TOO_HIGH
from services.api.core.recurring import PAST
from services.api.dialects.crm.wire import LARGEST_ID
from services.api.presented import account_key
from services.api.responses import json_response
from shared.domain import refusal as no


class Error(TypedDict):
    """Where there is more than one problem, `message` is the list of them."""

    message: str | list[str]
    error_code: int
    request_id: str


class ErrorBody(TypedDict):
    """Every refusal."""

    error: Error


Connection = Any
"""The store's, handed through."""

_LIMIT_TOO_HIGH: Final = 30
_NOT_FOUND: Final = 31
_NOT_VALID: Final = 32
_TOO_MANY: Final = 34
_TAKEN: Final = 35
_NO_JSON: Final = 37
_DATE_OVER: Final = 38
_NOT_AUTHORIZED: Final = 42

_SCHEMES: Final = frozenset({"http", "https"})
_UNREADABLE: Final = frozenset({"json_invalid", "content_type_invalid"})


async def authenticate(request: web.Request, db: Connection) -> Caller:
    """The account's key as `Authorization: Bearer` or `x-api-key` (B-205)."""
    return await authenticate_key(db, account_key(request))


def number_in(request: web.Request, what: str) -> int:
    """The number in the path. What is none that a row could have is nobody's. Raises `NotFound`."""
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID):
        raise no.NotFound(what)
    return int(text)


def whole_path(request: web.Request) -> str:
    """The URL of a list as its caller knows it, without query and trailing slash.

    A proxy that ends TLS says so in `X-Forwarded-Proto`; the caller alone is told what it says.
    """
    path = request.path.rstrip("/")
    scheme = request.headers.get("X-Forwarded-Proto", "")
    try:
        origin = request.url.origin()
        return f"{origin.with_scheme(scheme) if scheme in _SCHEMES else origin}{path}"
    except ValueError:  # a Host header that is none
        return path


def refuse(  # noqa: PLR0911 - one case for each refusal, so that the type checker counts them
    refusal: no.Refusal, request_id: str
) -> web.Response:
    """Every refusal with its number; where the document has none, it is that of the status."""
    match refusal:
        case no.Invalid():
            return _invalid(refusal, request_id)
        case no.Unauthenticated():
            headers = {"WWW-Authenticate": 'Bearer realm="belltower"'}
            return _error(401, "The key is missing, wrong or expired.", request_id, _NOT_AUTHORIZED, headers=headers)
        case no.Forbidden(message=message):
            return _error(403, message, request_id, _NOT_AUTHORIZED)
        case no.NotFound(what=what):
            return _error(404, f"There is no such {what}.", request_id, _NOT_FOUND)
        case no.NotAllowed(methods=methods):
            return _error(405, f"Use {', '.join(methods)}.", request_id)
        case no.Conflict(code=code, message=message):
            return _error(409, message, request_id, _TAKEN if code == "identifier_conflict" else None)
        case no.QuotaExceeded(retry_after=seconds) | no.RateLimited(retry_after=seconds):
            return _error(429, str(refusal), request_id, _TOO_MANY, headers={"Retry-After": str(seconds)})
        case no.Unavailable(retry_after=seconds):
            return _error(503, str(refusal), request_id, headers={"Retry-After": str(seconds)})
        case no.TooSlow() | no.TooLarge() | no.Broken():
            return _error(_STATUSES[type(refusal)], str(refusal), request_id)
        case _:
            assert_never(refusal)


_STATUSES: Final[Mapping[type[no.Refused], int]] = {no.TooSlow: 408, no.TooLarge: 413, no.Broken: 500}


def _invalid(refusal: no.Invalid, request_id: str) -> web.Response:
    """422 with every problem as a sentence; where one has a number of its own and is alone, that number."""
    messages = [_sentence(problem) for problem in refusal.problems]
    if refusal.more:
        messages.append(f"And {refusal.more} more.")
    codes = {problem.code for problem in refusal.problems}
    if TOO_HIGH in codes:
        return _error(400, messages, request_id, _LIMIT_TOO_HIGH)
    if codes <= _UNREADABLE:
        return _error(400, messages, request_id, _NO_JSON)
    return _error(422, messages, request_id, _DATE_OVER if codes == {PAST} else _NOT_VALID)


def _sentence(problem: no.Problem) -> str:
    reason = problem.reason
    if not problem.field:
        return f"{reason[:1].upper()}{reason[1:]}."
    return f"The {problem.field} field {'is ' if reason.startswith(_NO_VERB) else ''}{reason}."


_NO_VERB: Final = ("not ", "no such ")
"""How the reasons of what reads dates begin; all others are the end of a sentence."""


def _error(
    status: int,
    message: str | list[str],
    request_id: str,
    code: int | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body: ErrorBody = {"error": {"message": message, "error_code": code or status, "request_id": request_id}}
    return json_response(body, status=status, headers=headers)
