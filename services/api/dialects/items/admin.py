"""The items door: the same reminders over the whole account, proved by the account's key."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core.bulk import act_on_many
from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration, get_configuration_by_row
from services.api.core.listing import Filter, list_reminders
from services.api.core.reminders import create_reminder, delete_reminder, hold, locate, see
from services.api.dialect import About, Call, Dialect, RouteDef
from services.api.dialects.items import actions, answers, configurations, filters, templates, translate, wire
from services.api.dialects.items.edges import authenticate_by_key, refuse
from services.api.dialects.items.fields import PARAMETERS
from services.api.error_body import ErrorBody
from services.api.presented import ACCOUNT_PROOFS
from services.api.responses import empty_response, json_response
from shared.domain.account import DEFAULT_NAME
from shared.domain.schedule import instant, zone

_ITEMS: Final = "/api/reminder/item"


async def create(call: Call) -> web.Response:
    """Make an item: 201, or 200 where the same request made it before (B-064 to B-067)."""
    body = call.read(wire.NewItem)
    where = _where(call, body.agent_id, body.configuration_id)
    configuration = await get_configuration(
        call.tx,
        account_id=call.caller.account_id,
        agent_id=where.agent_id or DEFAULT_NAME,
        configuration_id=where.configuration_id or DEFAULT_NAME,
    )
    draft = translate.to_draft(body, configuration, external_id=body.id)
    seen, new = await create_reminder(
        call.tx, call.core, configuration, draft, door="items", detail="Created through the Items API", now=call.now
    )
    return json_response(translate.to_item(seen.reminder, seen.history), status=201 if new else 200)


async def update(call: Call) -> web.Response:
    """Change an item; what is left out stays (B-068 to B-073)."""
    body = call.read(wire.ItemUpdate)
    where = _where(call, body.agent_id, body.configuration_id)
    account_id = call.caller.account_id
    id = await locate(
        call.tx,
        account_id=account_id,
        external_id=body.id,
        agent_id=where.agent_id,
        configuration_id=where.configuration_id,
        to_change=True,
    )
    held = await hold(call.tx, account_id=account_id, id=id)
    configuration = await get_configuration_by_row(call.tx, account_id=account_id, id=held.reminder.configuration_id)
    change = Change(
        draft=translate.to_changed_draft(body, held.reminder, configuration.dst),
        status=body.status if "status" in body.given else None,
        dated=instant(body.date, zone("UTC")) if body.date else None,
    )
    changed = await change_reminder(call.tx, call.core, configuration, held, change, now=call.now)
    return json_response(translate.to_item(changed.seen.reminder, changed.seen.history, changed.cancel_outcome))


async def read(call: Call) -> web.Response:
    """One item (B-075)."""
    where = call.read_query(wire.Where)
    account_id = call.caller.account_id
    id = await locate(
        call.tx,
        account_id=account_id,
        external_id=call.request.match_info["reminderId"],
        agent_id=where.agent_id,
        configuration_id=where.configuration_id,
    )
    seen = await see(call.tx, account_id=account_id, id=id)
    return json_response(translate.to_item(seen.reminder, seen.history))


async def remove(call: Call) -> web.Response:
    """Remove an item: 204 and no body (B-074)."""
    where = call.read_query(wire.ExactWhere)
    account_id = call.caller.account_id
    id = await locate(
        call.tx,
        account_id=account_id,
        external_id=call.request.match_info["reminderId"],
        agent_id=where.agent_id,
        configuration_id=where.configuration_id,
        to_change=True,
    )
    held = await hold(call.tx, account_id=account_id, id=id)
    outcome = await delete_reminder(call.tx, held, now=call.now)
    return empty_response(headers={"Belltower-Cancel-Outcome": outcome.value})


async def list_items(call: Call) -> web.Response:
    """A page of items, newest first (B-076 to B-082)."""
    query = call.read_query(wire.ListQuery)
    size, skip = filters.to_page(query)
    wanted = filters.to_filter(query, account_zone=call.caller.time_zone)
    page = await list_reminders(call.tx, wanted, account_id=call.caller.account_id, limit=size, skip=skip)
    items = [translate.to_item(seen.reminder, seen.history) for seen in page.seen]
    return json_response(answers.Items(items=items, total=page.total, pageSize=size, skip=skip))


async def bulk(call: Call) -> web.Response:
    """One action on many items, with a result for each (B-063)."""
    body = call.read(wire.Bulk)
    where = _where(call, body.agent_id, body.configuration_id, wire.ExactWhere)
    wanted = Filter(agent_id=where.agent_id, configuration_id=where.configuration_id)
    if body.filter:
        wanted = filters.to_filter(body.filter, account_zone=call.caller.time_zone, where=where)
    results = await act_on_many(
        call.tx,
        actions.action(call, body),
        account_id=call.caller.account_id,
        ids=body.ids,
        wanted=wanted,
        dry_run=body.dry_run,
    )
    told = [actions.to_result(result) for result in results]
    succeeded = sum("error" not in result for result in told)
    answer: answers.BulkResult = {
        "action": body.action,
        "dryRun": body.dry_run,
        "total": len(told),
        "succeeded": succeeded,
        "failed": len(told) - succeeded,
        "results": told,
    }
    return json_response(answer)


def _where(
    call: Call, agent_id: str | None, configuration_id: str | None, query: type[wire.Where] = wire.Where
) -> wire.Where:
    """The configuration that the body names, or else the query (B-065)."""
    in_query = call.read_query(query)
    if agent_id or configuration_id:
        return wire.Where(agentId=agent_id, configurationId=configuration_id)  # type: ignore[call-arg]
    return in_query


ITEMS: Final = Dialect(
    name="items",
    prefix="/api/reminder/item",
    routes=(
        RouteDef(
            "POST",
            f"{_ITEMS}/create",
            create,
            body=wire.NewItem,
            query=wire.Where,
            answers={201: answers.Item, 200: answers.Item},
        ),
        RouteDef(
            "PUT", f"{_ITEMS}/update", update, body=wire.ItemUpdate, query=wire.Where, answers={200: answers.Item}
        ),
        RouteDef(
            "POST", f"{_ITEMS}/bulk", bulk, body=wire.Bulk, query=wire.ExactWhere, answers={200: answers.BulkResult}
        ),
        RouteDef("GET", f"{_ITEMS}/list", list_items, query=wire.ListQuery, answers={200: answers.Items}),
        RouteDef("GET", f"{_ITEMS}/{{reminderId}}", read, query=wire.Where, answers={200: answers.Item}),
        RouteDef(
            "DELETE",
            f"{_ITEMS}/{{reminderId}}",
            remove,
            query=wire.ExactWhere,
            answers={204: None},
            headers=("Belltower-Cancel-Outcome",),
        ),
        *configurations.ROUTES,
        *templates.ROUTES,
    ),
    authenticate=authenticate_by_key,
    refuse=refuse,
    about=About(
        title="Items",
        description="Reminders, configurations and templates over the whole account.",
        proofs=ACCOUNT_PROOFS,
        error=ErrorBody,
        parameters=PARAMETERS,
    ),
)
