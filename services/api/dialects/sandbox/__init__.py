"""What the sandbox provider was given and when, for the account's owner to look at."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key
from services.api.core.sandbox import KeptMessage, newest_messages
from services.api.dialect import About, Call, Dialect, RouteDef
from services.api.error_body import ErrorBody, render
from services.api.parse import Wire
from services.api.presented import ACCOUNT_PROOFS, account_key
from services.api.responses import json_response
from services.api.shown import whole_number
from shared.domain.refusal import Invalid, Problem

_MOST: Final = 1_000
_NUMBER: Final = re.compile(r"[0-9]{1,4}", re.ASCII)


class Query(Wire):
    limit: Annotated[str, whole_number(1, _MOST)] = "100"


class Message(TypedDict):
    """The names are those of the generic HTTP provider's body, then when it was meant and when it came."""

    id: str
    key: str
    occurrence_id: UUID
    reminder_id: str
    channel: str
    to: str
    template: str | None
    language: str | None
    parameters: list[str]
    text: str | None
    subject: str | None
    scheduled_for: datetime
    received_at: datetime


class Messages(TypedDict):
    messages: list[Message]


async def _list(call: Call) -> web.Response:
    """The newest messages that the sandbox was given for this account, newest first."""
    written = call.read_query(Query).limit
    limit = int(written) if _NUMBER.fullmatch(written) else 0
    if not 1 <= limit <= _MOST:
        raise Invalid([Problem("limit", f"must be a number from 1 to {_MOST}")])
    messages = await newest_messages(call.tx, account_id=call.caller.account_id, limit=limit)
    return json_response(Messages(messages=[_told(message) for message in messages]))


def _told(message: KeptMessage) -> Message:
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
    routes=(RouteDef("GET", "/sandbox/messages", _list, query=Query, answers={200: Messages}),),
    authenticate=_authenticate,
    refuse=render,
    about=About(
        title="Sandbox",
        description="What the sandbox provider was given instead of sending it.",
        proofs=ACCOUNT_PROOFS,
        error=ErrorBody,
    ),
)
