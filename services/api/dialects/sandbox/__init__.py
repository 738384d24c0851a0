"""What the sandbox provider was given and when, for the account's owner to look at."""

from __future__ import annotations

import re
from typing import Any, Final

from aiohttp import web

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key
from services.api.core.sandbox import KeptMessage, newest_messages
from services.api.dialect import Call, Dialect, RouteDef
from services.api.error_body import render
from services.api.parse import Wire, parse_query
from services.api.presented import account_key
from services.api.responses import json_response
from shared.domain.refusal import Invalid, Problem

_MOST: Final = 1_000
_NUMBER: Final = re.compile(r"[0-9]{1,4}", re.ASCII)


class _Query(Wire):
    limit: str = "100"


async def _list(call: Call) -> web.Response:
    written = parse_query(call.request, _Query).limit
    limit = int(written) if _NUMBER.fullmatch(written) else 0
    if not 1 <= limit <= _MOST:
        raise Invalid([Problem("limit", f"must be a number from 1 to {_MOST}")])
    messages = await newest_messages(call.tx, account_id=call.caller.account_id, limit=limit)
    return json_response({"messages": [_told(message) for message in messages]})


def _told(message: KeptMessage) -> dict[str, Any]:
    """The names are those of the generic HTTP provider's body, then when it was meant and when it came."""
    return {
        "id": message.message_id,
        "key": message.key,
        "occurrence_id": message.occurrence_id,
        "reminder_id": message.external_id,
        "channel": message.channel,
        "to": message.address,
        "template": message.template,
        "language": message.language,
        "parameters": message.parameters,
        "text": message.text,
        "subject": message.subject,
        "scheduled_for": message.scheduled_for,
        "received_at": message.received_at,
    }


async def _authenticate(request: web.Request, db: Any) -> Caller:
    return await authenticate_key(db, account_key(request))


SANDBOX: Final = Dialect(
    name="sandbox",
    prefix="/sandbox",
    routes=(RouteDef("GET", "/sandbox/messages", _list),),
    authenticate=_authenticate,
    refuse=render,
)
