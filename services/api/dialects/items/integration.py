"""The integration door: one path for all verbs, proved by a key of the configuration in it (B-009)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core.changes import Change, change_reminder
from services.api.core.reminders import create_reminder, delete_reminder, get_reminder, hold_named
from services.api.dialect import About, Call, Dialect, RouteDef
from services.api.dialects.items import answers, translate, wire
from services.api.dialects.items.edges import authenticate_by_secret, refuse
from services.api.dialects.items.fields import PARAMETERS
from services.api.dialects.items.paths import segment
from services.api.error_body import ErrorBody
from services.api.presented import SECRET_PROOFS, configuration_secret
from services.api.responses import empty_response, json_response
from shared.domain.account import Configuration
from shared.domain.refusal import NotFound
from shared.domain.schedule import instant, zone

_PATH: Final = "/api/reminder/{agentId}/{configurationId}/{reminderId}"


def _configuration(call: Call) -> Configuration:
    if call.caller.configuration is None:
        raise NotFound("configuration")
    return call.caller.configuration


async def create(call: Call) -> web.Response:
    """Make a reminder: 201, or 200 where the same request made it before (B-030, B-031)."""
    configuration = _configuration(call)
    external_id = segment(call.request, "reminderId")
    body = call.read(wire.NewReminder)
    draft = translate.to_draft(body, configuration, external_id=external_id)
    seen, new = await create_reminder(
        call.tx,
        call.core,
        configuration,
        draft,
        door="integration",
        detail="Created through the Integration API",
        now=call.now,
    )
    return json_response(translate.to_item(seen.reminder, seen.history), status=201 if new else 200)


async def read(call: Call) -> web.Response:
    """One reminder, whole (B-044)."""
    seen = await get_reminder(call.tx, _configuration(call), call.request.match_info["reminderId"])
    return json_response(translate.to_item(seen.reminder, seen.history))


async def set_status(call: Call) -> web.Response:
    """Change a reminder's status; an end says what it came in time for (B-035 to B-042)."""
    configuration = _configuration(call)
    held = await hold_named(call.tx, configuration, call.request.match_info["reminderId"])
    body = call.read(wire.StatusChange)
    dated = instant(body.date, zone("UTC")) if body.date else None
    change = Change(status=body.status, dated=dated)
    changed = await change_reminder(call.tx, call.core, configuration, held, change, now=call.now)
    return json_response(translate.to_item(changed.seen.reminder, changed.seen.history, changed.cancel_outcome))


async def remove(call: Call) -> web.Response:
    """Remove a reminder: 204 and no body; a second time 404 (B-045)."""
    held = await hold_named(call.tx, _configuration(call), call.request.match_info["reminderId"])
    outcome = await delete_reminder(call.tx, held, now=call.now)
    return empty_response(headers={"Belltower-Cancel-Outcome": outcome.value})


INTEGRATION: Final = Dialect(
    name="integration",
    prefix="/api/reminder/",
    routes=(
        RouteDef("POST", _PATH, create, body=wire.NewReminder, answers={201: answers.Item, 200: answers.Item}),
        RouteDef("GET", _PATH, read, answers={200: answers.Item}),
        RouteDef("PUT", _PATH, set_status, body=wire.StatusChange, answers={200: answers.Item}),
        RouteDef("DELETE", _PATH, remove, answers={204: None}, headers=("Belltower-Cancel-Outcome",)),
    ),
    authenticate=authenticate_by_secret,
    presented=configuration_secret,
    refuse=refuse,
    about=About(
        title="Integration",
        description="One configuration's reminders, by ids of the caller's own.",
        proofs=SECRET_PROOFS,
        error=ErrorBody,
        parameters=PARAMETERS,
    ),
)
