"""The routes of one-time messages (B-138 to B-146)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core import messages
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import campaigns_translate as translate
from services.api.dialects.campaigns import campaigns_wire as wire
from services.api.dialects.campaigns.wire import read_id
from services.api.responses import json_response
from shared.domain.recipient import Channel
from shared.domain.refusal import NotFound


async def _send(call: Call) -> web.Response:
    """Queue one message to one contact, now (B-138)."""
    body = call.read(wire.NewMessage)
    message = await messages.send_message(
        call.tx,
        call.caller,
        contact_id=read_id(body.contact_id),
        channel=Channel(body.channel),
        body=body.body,
        subject=body.subject,
        now=call.now,
    )
    return json_response(translate.to_queued(message), status=202)


async def _get(call: Call) -> web.Response:
    """One message and what became of it."""
    id = read_id(call.request.match_info["id"])
    if id is None:
        raise NotFound("message")
    message = await messages.get_message(call.tx, account_id=call.caller.account_id, id=id)
    answer: wire.MessageAnswer = {"success": True, "message": translate.to_message(message)}
    return json_response(answer)


MESSAGE_ROUTES: Final = (
    RouteDef("POST", "/v1/messages", _send, body=wire.NewMessage, answers={202: wire.MessageQueued}),
    RouteDef("GET", "/v1/messages/{id}", _get, answers={200: wire.MessageAnswer}),
)
