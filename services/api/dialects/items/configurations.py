"""Configurations by the account's key: make, change, pause, refresh keys, count (C-1 to C-3, C-8, C-10)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from services.api.core import configurations as core
from services.api.core.configurations import Details
from services.api.core.credentials import KEY_PAIR, refresh_keys
from services.api.core.endpoints import set_configuration_webhook
from services.api.dialect import Call, RouteDef
from services.api.dialects.items import settings_wire as wire
from services.api.dialects.items.translate import utc
from services.api.parse import parse, parse_query
from services.api.responses import empty_response, json_response
from shared.domain.account import Configuration, CredentialKind
from shared.domain.refusal import Invalid, Problem

_ROOT: Final = "/api/reminder/configuration"
PATH: Final = f"{_ROOT}/{{agentId}}/{{configurationId}}"

MOST_KEY_GRACE: Final = 7 * 24 * 3600


async def named(call: Call) -> Configuration:
    """The configuration in the path. Raises `NotFound`."""
    names = call.request.match_info
    return await core.get_configuration(
        call.tx,
        account_id=call.caller.account_id,
        agent_id=names["agentId"],
        configuration_id=names["configurationId"],
    )


async def create(call: Call) -> web.Response:
    """201 with both keys, shown this once (B-002)."""
    body = parse(call.request, call.body, wire.NewConfiguration, {"networks": call.core.networks})
    new = await core.create_configuration(
        call.tx,
        account_id=call.caller.account_id,
        agent_id=body.agent_id,
        configuration_id=body.configuration_id,
        details=Details(
            name=body.name or body.agent_id,
            channel=body.channel,
            time_zone=body.timezone,
            grace=_grace(body.grace_seconds),
            catch_up=body.catch_up,
            on_unknown=body.on_unknown,
            dst_gap=body.dst_gap,
            dst_overlap=body.dst_overlap,
            late_booking=body.late_booking,
        ),
        now=call.now,
    )
    configuration = await core.get_configuration_by_row(call.tx, account_id=call.caller.account_id, id=new.id)
    if body.server_state == "paused":
        configuration = await core.set_running(call.tx, configuration, running=False, now=call.now)
    webhook = await _set_webhook(call, configuration, body.integration_settings)
    keys = {"primaryKey": new.primary_key, "secondaryKey": new.secondary_key}
    return json_response(await _told(call, configuration) | keys | webhook, status=201)


async def update(call: Call) -> web.Response:
    """The configuration with what the body gives; what is left out stays."""
    body = parse(call.request, call.body, wire.ConfigurationUpdate, {"networks": call.core.networks})
    kept = await core.get_configuration(
        call.tx,
        account_id=call.caller.account_id,
        agent_id=body.agent_id,
        configuration_id=body.configuration_id,
    )
    given = body.model_fields_set
    details = Details(
        name=body.name if "name" in given else kept.name,
        channel=body.channel if "channel" in given else kept.channel,
        time_zone=body.timezone if "timezone" in given else kept.time_zone,
        grace=_grace(body.grace_seconds) if "grace_seconds" in given else kept.grace,
        catch_up=body.catch_up if "catch_up" in given else kept.catch_up,
        on_unknown=body.on_unknown if "on_unknown" in given else kept.on_unknown,
        dst_gap=body.dst_gap if "dst_gap" in given else kept.dst.gap,
        dst_overlap=body.dst_overlap if "dst_overlap" in given else kept.dst.overlap,
        late_booking=body.late_booking if "late_booking" in given else kept.late_booking,
    )
    changed = await core.update_configuration(call.tx, kept, details, now=call.now)
    if "server_state" in given:
        changed = await core.set_running(call.tx, changed, running=body.server_state == "running", now=call.now)
    webhook = await _set_webhook(call, changed, body.integration_settings)
    return json_response(await _told(call, changed) | webhook)


async def list_all(call: Call) -> web.Response:
    """Every configuration of the account, oldest first."""
    found = await core.list_configurations(call.tx, account_id=call.caller.account_id)
    urls = await core.webhook_urls(call.tx, account_id=call.caller.account_id)
    return json_response({"items": [to_configuration(found_one, urls.get(found_one.id)) for found_one in found]})


async def read(call: Call) -> web.Response:
    """One configuration; its keys are never shown again."""
    return json_response(await _told(call, await named(call)))


async def remove(call: Call) -> web.Response:
    """204; 409 while it has reminders that are not over."""
    await core.delete_configuration(call.tx, await named(call))
    return empty_response()


async def pause(call: Call) -> web.Response:
    """What falls due waits (B-265)."""
    paused = await core.set_running(call.tx, await named(call), running=False, now=call.now)
    return json_response(await _told(call, paused))


async def resume(call: Call) -> web.Response:
    """What waited goes out, as far as its lateness allows."""
    running = await core.set_running(call.tx, await named(call), running=True, now=call.now)
    return json_response(await _told(call, running))


async def refresh(call: Call) -> web.Response:
    """New keys, shown this once; the old ones end at once, or after `graceSeconds` (B-003, B-008)."""
    key_type, seconds = _to_refresh(call)
    kinds = (CredentialKind(key_type),) if key_type else KEY_PAIR
    configuration = await named(call)
    fresh = await refresh_keys(call.tx, configuration, kinds, grace=timedelta(seconds=seconds), now=call.now)
    names = {"agentId": configuration.agent_id, "configurationId": configuration.configuration_id}
    return json_response(names | {f"{kind}Key": secret for kind, secret in fresh.items()})


def _to_refresh(call: Call) -> tuple[wire.KeyType | None, int]:
    """Which key and what grace: from the query or the body, each said once. Raises `Invalid`."""
    query = parse_query(call.request, wire.RefreshQuery)
    body = parse(call.request, call.body, wire.RefreshBody) if call.body.strip() else wire.RefreshBody()
    names = {"key_type": "keyType", "grace_seconds": "graceSeconds"}
    both = query.model_fields_set & body.model_fields_set
    problems = [Problem(names[field], "stands in the query and in the body", "repeated") for field in sorted(both)]
    seconds = body.grace_seconds if "grace_seconds" in body.model_fields_set else int(query.grace_seconds)
    if seconds > MOST_KEY_GRACE:
        problems.append(Problem("graceSeconds", f"must be {MOST_KEY_GRACE} or less"))
    if problems:
        raise Invalid(problems)
    return query.key_type or body.key_type, seconds


async def numbers(call: Call) -> web.Response:
    """The numbers of C-10."""
    return json_response(asdict(await core.count_reminders(call.tx, await named(call), now=call.now)))


def to_configuration(configuration: Configuration, webhook_url: str | None) -> dict[str, Any]:
    """As a caller reads it."""
    return {
        "agentId": configuration.agent_id,
        "configurationId": configuration.configuration_id,
        "name": configuration.name,
        "channel": configuration.channel,
        "serverState": "running" if configuration.running else "paused",
        "timezone": configuration.time_zone,
        "graceSeconds": int(configuration.grace.total_seconds()) if configuration.grace else None,
        "catchUp": configuration.catch_up,
        "onUnknown": configuration.on_unknown,
        "dstGap": configuration.dst.gap,
        "dstOverlap": configuration.dst.overlap,
        "lateBooking": configuration.late_booking,
        "integrationSettings": {"webhookUrl": webhook_url or ""},
        "createdAt": utc(configuration.created_at),
        "updatedAt": utc(configuration.updated_at),
    }


async def _told(call: Call, configuration: Configuration) -> dict[str, Any]:
    urls = await core.webhook_urls(call.tx, account_id=call.caller.account_id)
    return to_configuration(configuration, urls.get(configuration.id))


async def _set_webhook(
    call: Call, configuration: Configuration, settings: wire.IntegrationSettings | None
) -> dict[str, str]:
    """Set or take away the webhook where the body says so; a new signing secret is shown this once (C-3)."""
    if settings is None or "webhook_url" not in settings.model_fields_set:
        return {}
    secret = await set_configuration_webhook(
        call.tx,
        account_id=call.caller.account_id,
        configuration_id=configuration.id,
        url=settings.webhook_url,
        keyring=call.core.keyring,
        networks=call.core.networks,
        now=call.now,
    )
    return {"webhookSecret": secret} if secret else {}


def _grace(seconds: int | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None


ROUTES: Final = (
    RouteDef("POST", _ROOT, create),
    RouteDef("PUT", _ROOT, update),
    RouteDef("GET", _ROOT, list_all),
    RouteDef("GET", PATH, read),
    RouteDef("DELETE", PATH, remove),
    RouteDef("POST", f"{PATH}/pause", pause),
    RouteDef("POST", f"{PATH}/resume", resume),
    RouteDef("POST", f"{PATH}/refresh-keys", refresh),
    RouteDef("GET", f"{PATH}/numbers", numbers),
)
