"""The routes of sends in doubt: what may or may not have been sent, and the word that settles it (B-263)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core.uncertain import Parked, Resolved, Verdict, get_parked, list_parked, resolve_parked
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import uncertain_wire as wire
from services.api.dialects.campaigns.contacts_translate import to_page
from services.api.dialects.campaigns.contacts_wire import PageQuery
from services.api.dialects.campaigns.wire import read_id
from services.api.responses import json_response


async def _list(call: Call) -> web.Response:
    """Sends whose answer was lost, the oldest first."""
    limit, offset = to_page(call.read_query(PageQuery))
    page = await list_parked(call.tx, account_id=call.caller.account_id, limit=limit, skip=offset)
    answer: wire.AllUncertain = {
        "success": True,
        "uncertain": [_told(parked) for parked in page.found],
        "total": page.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(answer)


async def _get(call: Call) -> web.Response:
    """One of them; 404 once it is resolved."""
    id = read_id(call.request.match_info["id"])
    parked = await get_parked(call.tx, account_id=call.caller.account_id, id=id)
    return json_response(wire.OneUncertain(success=True, uncertain=_told(parked)))


async def _resolve(call: Call) -> web.Response:
    """Say what became of one. It is tried again only within its grace and before its reminder's next send time."""
    body = call.read(wire.Resolution)
    resolved = await resolve_parked(
        call.tx,
        call.core,
        account_id=call.caller.account_id,
        id=read_id(call.request.match_info["id"]),
        verdict=Verdict(body.outcome),
        message_id=body.provider_message_id,
    )
    return json_response(wire.OneResolved(success=True, resolved=_resolved(resolved)))


def _told(parked: Parked) -> wire.UncertainBody:
    return {
        "id": parked.id,
        "reminder_id": parked.reminder_id,
        "external_id": parked.external_id,
        "channel": parked.channel,
        "provider": parked.provider,
        "attempt": parked.attempt,
        "scheduled_for": parked.scheduled_for,
        "started_at": parked.started_at,
        "parked_at": parked.parked_at,
        "reason": parked.reason,
    }


def _resolved(resolved: Resolved) -> wire.ResolvedBody:
    return {
        "id": resolved.id,
        "reminder_id": resolved.reminder_id,
        "status": resolved.state,
        "reason": resolved.reason,
        "next_attempt_at": resolved.due_at,
        "reminder_status": resolved.reminder_status,
    }


_ONE: Final = "/v1/uncertain/{id}"

UNCERTAIN_ROUTES: Final = (
    RouteDef("GET", "/v1/uncertain", _list, query=PageQuery, answers={200: wire.AllUncertain}),
    RouteDef("GET", _ONE, _get, answers={200: wire.OneUncertain}),
    RouteDef("POST", f"{_ONE}/resolve", _resolve, body=wire.Resolution, answers={200: wire.OneResolved}),
)
