"""The webhook routes (B-147 to B-154, B-165)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web
from typing_extensions import TypedDict

from services.api.core import deliveries, endpoints
from services.api.core.deliveries import DeliveryState
from services.api.core.endpoints import Endpoint
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import translate, wire
from services.api.dialects.campaigns import webhook_answers as answers
from services.api.responses import json_response
from shared.domain.refusal import NotFound

_MOST: Final = 100


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


def _endpoint(endpoint: Endpoint) -> web.Response:
    return json_response(answers.OneEndpoint(success=True, endpoint=translate.to_endpoint(endpoint)))


_DELETED: Final[answers.EndpointDeleted] = {"success": True, "deleted": True}


async def _list(call: Call) -> web.Response:
    """Every endpoint of the account, oldest first; those of configurations too."""
    found = await endpoints.list_endpoints(call.tx, account_id=call.caller.account_id)
    told = [translate.to_endpoint(endpoint) for endpoint in found]
    return json_response(answers.Endpoints(success=True, endpoints=told))


async def _create(call: Call) -> web.Response:
    """A new endpoint, with its signing secret, shown this once."""
    body = call.read(wire.NewEndpoint, {"networks": call.core.networks})
    made = await endpoints.create_endpoint(
        call.tx,
        call.core,
        account_id=call.caller.account_id,
        name=body.name,
        target_url=body.target_url,
        event_types=body.event_types,
        now=call.now,
    )
    answer: answers.EndpointWithSecret = {
        "success": True,
        "endpoint": translate.to_endpoint(made.endpoint),
        "signing_secret": made.secret,
    }
    return json_response(answer, status=201)


async def _get(call: Call) -> web.Response:
    """One endpoint."""
    return _endpoint(await endpoints.get_endpoint(call.tx, **_of(call)))


async def _change(call: Call) -> web.Response:
    """The endpoint with what the body gives; what is left out stays."""
    body = call.read(wire.EndpointChange, {"networks": call.core.networks})
    return _endpoint(
        await endpoints.change_endpoint(
            call.tx,
            call.core,
            **_of(call),
            name=body.name,
            target_url=body.target_url,
            event_types=body.event_types,
            enabled=None if body.status is None else body.status == "active",
            now=call.now,
        )
    )


async def _delete(call: Call) -> web.Response:
    """Remove an endpoint and its deliveries (B-153)."""
    await endpoints.delete_endpoint(call.tx, **_of(call))
    return json_response(_DELETED)


async def _delete_by_body(call: Call) -> web.Response:
    """Remove the endpoint that the body names, and its deliveries (B-153)."""
    id = _id(call.read(wire.EndpointToDelete).endpoint_id, "endpoint")
    await endpoints.delete_endpoint(call.tx, account_id=call.caller.account_id, id=id)
    return json_response(_DELETED)


async def _enable(call: Call) -> web.Response:
    """Switch an endpoint on again; deliveries that were held go out."""
    return _endpoint(await endpoints.enable_endpoint(call.tx, **_of(call), now=call.now))


async def _rotate(call: Call) -> web.Response:
    """One phase of changing the secret. An empty body stages: the new secret is in this answer and nowhere else."""
    phase = call.read(wire.RotationStep).phase
    if phase == "stage":
        staged = await endpoints.stage_secret(call.tx, call.core, **_of(call), now=call.now)
        answer: answers.EndpointAfterRotation = {
            "success": True,
            "endpoint": translate.to_endpoint(staged.endpoint),
            "signing_secret": staged.secret,
        }
        return json_response(answer)
    step = endpoints.promote_secret if phase == "promote" else endpoints.retire_secret
    return _endpoint(await step(call.tx, **_of(call), now=call.now))


async def _test(call: Call) -> web.Response:
    """Owe the endpoint a test event, now."""
    return _delivery(await deliveries.send_test(call.tx, **_of_endpoint(call), now=call.now))


def _delivery(delivery: deliveries.Delivery) -> web.Response:
    answer: answers.OneDelivery = {"success": True, "delivery": translate.to_delivery(delivery)}
    return json_response(answer, status=202)


async def _list_deliveries(call: Call) -> web.Response:
    """A page of the endpoint's deliveries, newest first; a limit over 100 is 100."""
    query = call.read_query(wire.DeliveryQuery)
    limit, offset = min(int(query.limit), _MOST), int(query.offset)
    states = query.state.split(",") if query.state is not None else None
    page = await deliveries.list_deliveries(call.tx, **_of_endpoint(call), states=states, limit=limit, offset=offset)
    found = [translate.to_delivery(delivery) for delivery in page.found]
    return json_response(
        answers.Deliveries(success=True, deliveries=found, total=page.total, limit=limit, offset=offset)
    )


async def _get_delivery(call: Call) -> web.Response:
    """One delivery with its body and every attempt."""
    id = _id(call.request.match_info["delivery_id"], "delivery")
    delivery, attempts = await deliveries.get_delivery(call.tx, **_of_endpoint(call), id=id)
    told = translate.to_whole_delivery(delivery, attempts)
    return json_response(answers.OneWholeDelivery(success=True, delivery=told))


async def _replay(call: Call) -> web.Response:
    """Start one delivery over, or those of a range of time."""
    body = call.read(wire.Replay)
    if body.delivery_id is not None:
        id = _id(body.delivery_id, "delivery")
        return _delivery(await deliveries.replay_delivery(call.tx, **_of_endpoint(call), id=id, now=call.now))
    replayed = await deliveries.replay_range(
        call.tx,
        **_of_endpoint(call),
        start=translate.to_instant(body.start or ""),
        end=translate.to_instant(body.end) if body.end is not None else None,
        states=[DeliveryState(state) for state in body.states],
        event_types=body.event_types,
        now=call.now,
    )
    return json_response(translate.to_replayed(replayed), status=202)


async def _get_backfill(call: Call) -> web.Response:
    """How far the second half of a replay has come."""
    id = _id(call.request.match_info["backfill_id"], "backfill")
    backfill = await deliveries.get_backfill(call.tx, **_of_endpoint(call), id=id)
    return json_response(answers.OneBackfill(success=True, backfill=translate.to_backfill(backfill)))


_ONE: Final = "/v1/webhooks/{id}"
_ENDPOINT: Final = {200: answers.OneEndpoint}
_GONE: Final = {200: answers.EndpointDeleted}

WEBHOOK_ROUTES: Final = (
    RouteDef("GET", "/v1/webhooks", _list, answers={200: answers.Endpoints}),
    RouteDef("POST", "/v1/webhooks", _create, body=wire.NewEndpoint, answers={201: answers.EndpointWithSecret}),
    RouteDef("POST", "/v1/webhooks/delete", _delete_by_body, body=wire.EndpointToDelete, answers=_GONE),
    RouteDef("GET", _ONE, _get, answers=_ENDPOINT),
    RouteDef("PATCH", _ONE, _change, body=wire.EndpointChange, answers=_ENDPOINT),
    RouteDef("DELETE", _ONE, _delete, answers=_GONE),
    RouteDef("POST", f"{_ONE}/enable", _enable, answers=_ENDPOINT),
    RouteDef(
        "POST",
        f"{_ONE}/rotate-secret",
        _rotate,
        body=wire.RotationStep,
        body_optional=True,
        answers={200: answers.EndpointAfterRotation},
    ),
    RouteDef("POST", f"{_ONE}/test", _test, answers={202: answers.OneDelivery}),
    RouteDef(
        "GET", f"{_ONE}/deliveries", _list_deliveries, query=wire.DeliveryQuery, answers={200: answers.Deliveries}
    ),
    RouteDef("GET", f"{_ONE}/deliveries/{{delivery_id}}", _get_delivery, answers={200: answers.OneWholeDelivery}),
    RouteDef(
        "POST",
        f"{_ONE}/replay",
        _replay,
        body=wire.Replay,
        answers={202: answers.OneDelivery | answers.ReplayOfRange},
    ),
    RouteDef("GET", f"{_ONE}/backfills/{{backfill_id}}", _get_backfill, answers={200: answers.OneBackfill}),
)
