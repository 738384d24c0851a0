"""The webhook routes (B-147 to B-154, B-165)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core import deliveries, endpoints
from services.api.core.deliveries import DeliveryState
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import translate, wire
from services.api.parse import parse, parse_query
from services.api.responses import json_response
from shared.domain.refusal import NotFound

_MOST: Final = 100


def _success(status: int = 200, **parts: Any) -> web.Response:
    return json_response({"success": True, **parts}, status=status)


class _Of(TypedDict):
    account_id: UUID
    id: UUID


class _OfEndpoint(TypedDict):
    account_id: UUID
    endpoint_id: UUID


def _of(call: Call) -> _Of:
    """The account and the endpoint of the path. An id that is no UUID is nobody's."""
    return {"account_id": call.caller.account_id, "id": _id(call.request.match_info["id"], "endpoint")}


def _of_endpoint(call: Call) -> _OfEndpoint:
    of = _of(call)
    return {"account_id": of["account_id"], "endpoint_id": of["id"]}


def _id(text: str, what: str) -> UUID:
    id = wire.read_id(text)
    if id is None:
        raise NotFound(what)
    return id


async def _list(call: Call) -> web.Response:
    found = await endpoints.list_endpoints(call.tx, account_id=call.caller.account_id)
    return _success(endpoints=[translate.to_endpoint(endpoint) for endpoint in found])


async def _create(call: Call) -> web.Response:
    body = parse(call.request, call.body, wire.NewEndpoint, {"networks": call.core.networks})
    made = await endpoints.create_endpoint(
        call.tx,
        call.core,
        account_id=call.caller.account_id,
        name=body.name,
        target_url=body.target_url,
        event_types=body.event_types,
        now=call.now,
    )
    return _success(201, endpoint=translate.to_endpoint(made.endpoint), signing_secret=made.secret)


async def _get(call: Call) -> web.Response:
    return _success(endpoint=translate.to_endpoint(await endpoints.get_endpoint(call.tx, **_of(call))))


async def _change(call: Call) -> web.Response:
    body = parse(call.request, call.body, wire.EndpointChange, {"networks": call.core.networks})
    endpoint = await endpoints.change_endpoint(
        call.tx,
        call.core,
        **_of(call),
        name=body.name,
        target_url=body.target_url,
        event_types=body.event_types,
        enabled=None if body.status is None else body.status == "active",
        now=call.now,
    )
    return _success(endpoint=translate.to_endpoint(endpoint))


async def _delete(call: Call) -> web.Response:
    await endpoints.delete_endpoint(call.tx, **_of(call))
    return _success(deleted=True)


async def _delete_by_body(call: Call) -> web.Response:
    body = parse(call.request, call.body, wire.EndpointToDelete)
    id = _id(body.endpoint_id, "endpoint")
    await endpoints.delete_endpoint(call.tx, account_id=call.caller.account_id, id=id)
    return _success(deleted=True)


async def _enable(call: Call) -> web.Response:
    endpoint = await endpoints.enable_endpoint(call.tx, **_of(call), now=call.now)
    return _success(endpoint=translate.to_endpoint(endpoint))


async def _rotate(call: Call) -> web.Response:
    """An empty body stages: the new secret is in this answer and nowhere else."""
    body = parse(call.request, call.body, wire.Rotation) if call.body.strip() else wire.Rotation()
    if body.phase == "stage":
        staged = await endpoints.stage_secret(call.tx, call.core, **_of(call), now=call.now)
        return _success(endpoint=translate.to_endpoint(staged.endpoint), signing_secret=staged.secret)
    step = endpoints.promote_secret if body.phase == "promote" else endpoints.retire_secret
    return _success(endpoint=translate.to_endpoint(await step(call.tx, **_of(call), now=call.now)))


async def _test(call: Call) -> web.Response:
    delivery = await deliveries.send_test(call.tx, **_of_endpoint(call), now=call.now)
    return _success(202, delivery=translate.to_delivery(delivery))


async def _list_deliveries(call: Call) -> web.Response:
    query = parse_query(call.request, wire.DeliveryQuery)
    limit, offset = min(int(query.limit), _MOST), int(query.offset)
    states = query.state.split(",") if query.state is not None else None
    page = await deliveries.list_deliveries(call.tx, **_of_endpoint(call), states=states, limit=limit, offset=offset)
    found = [translate.to_delivery(delivery) for delivery in page.found]
    return _success(deliveries=found, total=page.total, limit=limit, offset=offset)


async def _get_delivery(call: Call) -> web.Response:
    id = _id(call.request.match_info["delivery_id"], "delivery")
    delivery, attempts = await deliveries.get_delivery(call.tx, **_of_endpoint(call), id=id)
    return _success(delivery=translate.to_whole_delivery(delivery, attempts))


async def _replay(call: Call) -> web.Response:
    body = parse(call.request, call.body, wire.Replay)
    if body.delivery_id is not None:
        id = _id(body.delivery_id, "delivery")
        delivery = await deliveries.replay_delivery(call.tx, **_of_endpoint(call), id=id, now=call.now)
        return _success(202, delivery=translate.to_delivery(delivery))
    replayed = await deliveries.replay_range(
        call.tx,
        **_of_endpoint(call),
        start=translate.to_instant(body.start or ""),
        end=translate.to_instant(body.end) if body.end is not None else None,
        states=[DeliveryState(state) for state in body.states],
        event_types=body.event_types,
        now=call.now,
    )
    return _success(202, **translate.to_replayed(replayed))


async def _get_backfill(call: Call) -> web.Response:
    id = _id(call.request.match_info["backfill_id"], "backfill")
    backfill = await deliveries.get_backfill(call.tx, **_of_endpoint(call), id=id)
    return _success(backfill=translate.to_backfill(backfill))


_ONE: Final = "/v1/webhooks/{id}"

WEBHOOK_ROUTES: Final = (
    RouteDef("GET", "/v1/webhooks", _list),
    RouteDef("POST", "/v1/webhooks", _create),
    RouteDef("POST", "/v1/webhooks/delete", _delete_by_body),
    RouteDef("GET", _ONE, _get),
    RouteDef("PATCH", _ONE, _change),
    RouteDef("DELETE", _ONE, _delete),
    RouteDef("POST", f"{_ONE}/enable", _enable),
    RouteDef("POST", f"{_ONE}/rotate-secret", _rotate),
    RouteDef("POST", f"{_ONE}/test", _test),
    RouteDef("GET", f"{_ONE}/deliveries", _list_deliveries),
    RouteDef("GET", f"{_ONE}/deliveries/{{delivery_id}}", _get_delivery),
    RouteDef("POST", f"{_ONE}/replay", _replay),
    RouteDef("GET", f"{_ONE}/backfills/{{backfill_id}}", _get_backfill),
)
