"""The routes of reminders as their account sees them, whichever door they came in by (issue 3, point 8)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core import explaining
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import reminders_translate as translate
from services.api.dialects.campaigns import reminders_wire as wire
from services.api.dialects.campaigns.wire import read_id
from services.api.responses import json_response
from shared.domain.refusal import NotFound

_MOST: Final = 100
"""Reminders of one page, and of each the planned sends."""
_MOST_EXPLAINED: Final = 500
"""Planned sends of one page of an explanation."""


async def _list(call: Call) -> web.Response:
    """The whole reminder life of a contact, a number or an address, over all doors by one call: what was planned,
    sent, skipped, expired, cancelled or left uncertain, and why. The newest reminder comes first.
    """
    query = call.read_query(wire.LifeQuery)
    limit, offset = min(int(query.limit), _MOST), int(query.offset)
    lives = await explaining.find_lives(
        call.tx,
        call.core,
        translate.to_known(query),
        account_id=call.caller.account_id,
        limit=limit,
        skip=offset,
        sends=min(int(query.occurrences_limit), _MOST),
        now=call.now,
    )
    answer: wire.LivesAnswer = {
        "success": True,
        "reminders": [translate.to_life(life) for life in lives.found],
        "total": lives.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(answer)


async def _explain(call: Call) -> web.Response:
    """Why a reminder's next send is when it is, or why one was not sent: each fact with a stable word and a sentence.

    The id is the reminder's UUID, as the list and the events have it.
    """
    query = call.read_query(wire.ExplainQuery)
    id = read_id(call.request.match_info["id"])
    if id is None:
        raise NotFound("reminder")
    limit, offset = min(int(query.occurrences_limit), _MOST_EXPLAINED), int(query.occurrences_offset)
    explained = await explaining.explain_reminder(
        call.tx, call.core, account_id=call.caller.account_id, id=id, limit=limit, offset=offset, now=call.now
    )
    time_zone = explained.life.around.reminder.time_zone
    answer: wire.ExplainAnswer = {
        "success": True,
        "now": call.now,
        "reminder": translate.to_reminder(explained.life),
        "explanation": translate.to_explanation(explained),
        "occurrences": [translate.to_planned(told, time_zone) for told in explained.life.sends],
        "total": explained.life.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(answer)


REMINDER_ROUTES: Final = (
    RouteDef("GET", "/v1/reminders", _list, query=wire.LifeQuery, answers={200: wire.LivesAnswer}),
    RouteDef("GET", "/v1/reminders/{id}/explain", _explain, query=wire.ExplainQuery, answers={200: wire.ExplainAnswer}),
)
