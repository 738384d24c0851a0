"""The reminders of appointments (B-209 to B-251)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiohttp import web

from services.api.core import appointments as core
from services.api.core.configurations import get_configuration
from services.api.dialect import Call, RouteDef
from services.api.dialects.appointments import translate, wire
from services.api.responses import json_response
from shared.domain.account import Configuration


async def _configuration(call: Call) -> Configuration:
    """The account's default one, to which every appointment belongs."""
    return await get_configuration(call.tx, account_id=call.caller.account_id)


def _region(call: Call) -> dict[str, Any]:
    return {"region": call.core.phone_region}


def _id(call: Call) -> UUID | None:
    return translate.to_id(call.request.match_info["uuid"])


async def create(call: Call) -> web.Response:
    """Remind of an appointment: 200, new or known (B-209, B-213)."""
    body = call.read(wire.NewAppointment, _region(call))
    configuration = await _configuration(call)
    draft = translate.to_draft(body, **_region(call), dst=configuration.dst)
    names = translate.to_names(body)
    seen = await core.create_appointment(call.tx, call.core, configuration, draft, names=names, now=call.now)
    return json_response(translate.to_created(seen.reminder))


async def update(call: Call) -> web.Response:
    """Change an appointment: the whole, with what the body gives (B-235, B-236)."""
    held = await core.hold_appointment(call.tx, account_id=call.caller.account_id, id=_id(call))
    body = call.read(wire.AppointmentChange, _region(call))
    configuration = await _configuration(call)
    draft = translate.to_changed_draft(body, held.reminder, **_region(call), dst=configuration.dst)
    names = translate.to_names(body)
    seen = await core.change_appointment(call.tx, call.core, configuration, held, draft, names=names, now=call.now)
    return json_response(translate.to_appointment(seen.reminder))


async def cancel(call: Call) -> web.Response:
    """Call an appointment off; again the same (B-242, B-243). A body is not looked at."""
    configuration = await _configuration(call)
    changed = await core.cancel_appointment(call.tx, call.core, configuration, id=_id(call), now=call.now)
    return json_response(translate.to_cancelled(changed.seen.reminder, changed.cancel_outcome))


async def no_show(call: Call) -> web.Response:
    """Report a missed appointment; again the same and no second message (B-244, B-245). A body is not looked at."""
    held = await core.hold_appointment(call.tx, account_id=call.caller.account_id, id=_id(call))
    seen = await core.report_no_show(call.tx, call.core, await _configuration(call), held, now=call.now)
    return json_response(translate.to_appointment(seen.reminder))


async def read(call: Call) -> web.Response:
    """One appointment (B-251)."""
    seen = await core.get_appointment(call.tx, account_id=call.caller.account_id, id=_id(call))
    return json_response(translate.to_appointment(seen.reminder))


async def list_all(call: Call) -> web.Response:
    """Appointments by the caller's id, by phone, or all; the newest first (B-251)."""
    query = call.read_query(wire.AppointmentQuery, _region(call))
    limit, offset = translate.to_page(query)
    page = await core.list_appointments(
        call.tx,
        account_id=call.caller.account_id,
        external_id=query.external_event_id,
        address=translate.to_address(query.phone, **_region(call)),
        limit=limit,
        skip=offset,
    )
    told: wire.AppointmentsTold = {
        "reminders": [translate.to_appointment(seen.reminder) for seen in page.seen],
        "total": page.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(told)


_ALL: Final = "/events/reminders"
_ONE: Final = f"{_ALL}/{{uuid}}"

REMINDER_ROUTES: Final = (
    RouteDef("POST", _ALL, create, body=wire.NewAppointment, answers={200: wire.CreatedTold}),
    RouteDef("GET", _ALL, list_all, query=wire.AppointmentQuery, answers={200: wire.AppointmentsTold}),
    RouteDef("GET", _ONE, read, answers={200: wire.AppointmentTold}),
    RouteDef("PUT", _ONE, update, body=wire.AppointmentChange, answers={200: wire.AppointmentTold}),
    RouteDef("POST", f"{_ONE}/cancel", cancel, answers={200: wire.CancelledTold}),
    RouteDef("POST", f"{_ONE}/no-show", no_show, answers={200: wire.AppointmentTold}),
)
