"""Appointment types and the texts of their messages (C-20 to C-22)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core import appointment_types as core
from services.api.dialect import Call, RouteDef
from services.api.dialects.appointments import translate, wire
from services.api.responses import json_response


async def create(call: Call) -> web.Response:
    """Make an appointment type; one of that name that there is already is answered as it is (C-20)."""
    body = call.read(wire.NewType)
    kind = await core.create_type(call.tx, body.type, account_id=call.caller.account_id, now=call.now)
    return json_response(translate.to_type(kind))


async def read(call: Call) -> web.Response:
    """One appointment type."""
    id = translate.to_id(call.request.match_info["uuid"])
    return json_response(translate.to_type(await core.get_type(call.tx, account_id=call.caller.account_id, id=id)))


async def list_all(call: Call) -> web.Response:
    """All appointment types, oldest first."""
    limit, offset = translate.to_page(call.read_query(wire.TypeQuery))
    found, total = await core.list_types(call.tx, account_id=call.caller.account_id, limit=limit, skip=offset)
    told: wire.TypesTold = {
        "types": [translate.to_type(kind) for kind in found],
        "total": total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(told)


async def put_message(call: Call) -> web.Response:
    """Set the text of one kind of message; the one that there is already is replaced (C-21, C-22)."""
    body = call.read(wire.NewMessage)
    message = await core.put_message(
        call.tx,
        account_id=call.caller.account_id,
        type_id=translate.to_id(body.event_type.uuid),
        message_type=body.message_type,
        text=body.text,
        now=call.now,
    )
    return json_response(translate.to_message(message))


async def list_messages(call: Call) -> web.Response:
    """The texts of one appointment type, or of all."""
    query = call.read_query(wire.MessageQuery)
    type_id = None if query.event_type is None else translate.to_id(query.event_type)
    known = query.event_type is None or type_id is not None
    found = await core.list_messages(call.tx, account_id=call.caller.account_id, type_id=type_id) if known else []
    told: wire.MessagesTold = {"messages": [translate.to_message(message) for message in found]}
    return json_response(told)


_ALL: Final = "/events/types"
_MESSAGES: Final = f"{_ALL}/messages"

TYPE_ROUTES: Final = (
    RouteDef("POST", _ALL, create, body=wire.NewType, answers={200: wire.TypeTold}),
    RouteDef("GET", _ALL, list_all, query=wire.TypeQuery, answers={200: wire.TypesTold}),
    RouteDef("POST", _MESSAGES, put_message, body=wire.NewMessage, answers={200: wire.MessageTold}),
    RouteDef("GET", _MESSAGES, list_messages, query=wire.MessageQuery, answers={200: wire.MessagesTold}),
    RouteDef("GET", f"{_ALL}/{{uuid}}", read, answers={200: wire.TypeTold}),
)
