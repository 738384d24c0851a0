"""The opt-out routes: who must not be written to, at any door (B-267)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core.opt_outs import add_opt_out, get_opt_out, list_opt_outs, remove_opt_out
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import contacts_translate as translate
from services.api.dialects.campaigns import contacts_wire as wire
from services.api.responses import json_response


def _address(call: Call) -> str:
    return translate.to_address(call.request.match_info["address"])


async def _add(call: Call) -> web.Response:
    """Write to this phone or e-mail no more; one that is known stays as it is."""
    body = call.read(wire.NewOptOut)
    opt_out, new = await add_opt_out(
        call.tx, translate.to_suppressed(body), account_id=call.caller.account_id, source=body.source, now=call.now
    )
    answer: translate.OneOptOutBody = {"success": True, "opt_out": translate.to_opt_out(opt_out)}
    return json_response(answer, status=201 if new else 200)


async def _list(call: Call) -> web.Response:
    """Who opted out, the newest first."""
    limit, offset = translate.to_page(call.read_query(wire.PageQuery))
    page = await list_opt_outs(call.tx, account_id=call.caller.account_id, limit=limit, skip=offset)
    answer: translate.OptOutsBody = {
        "success": True,
        "opt_outs": [translate.to_opt_out(opt_out) for opt_out in page.found],
        "total": page.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(answer)


async def _get(call: Call) -> web.Response:
    """The opt-out of a phone or an e-mail."""
    opt_out = await get_opt_out(call.tx, _address(call), account_id=call.caller.account_id)
    answer: translate.OneOptOutBody = {"success": True, "opt_out": translate.to_opt_out(opt_out)}
    return json_response(answer)


async def _remove(call: Call) -> web.Response:
    """The address may be written to again."""
    await remove_opt_out(call.tx, _address(call), account_id=call.caller.account_id)
    answer: translate.DeletedBody = {"success": True, "deleted": True}
    return json_response(answer)


_ONE: Final = "/v1/opt-outs/{address}"

OPT_OUT_ROUTES: Final = (
    RouteDef(
        "POST",
        "/v1/opt-outs",
        _add,
        body=wire.NewOptOut,
        answers={200: translate.OneOptOutBody, 201: translate.OneOptOutBody},
    ),
    RouteDef("GET", "/v1/opt-outs", _list, query=wire.PageQuery, answers={200: translate.OptOutsBody}),
    RouteDef("GET", _ONE, _get, answers={200: translate.OneOptOutBody}),
    RouteDef("DELETE", _ONE, _remove, answers={200: translate.DeletedBody}),
)
