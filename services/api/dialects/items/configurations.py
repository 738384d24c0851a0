"""Configurations by the account's key: make, change, pause, refresh keys, count (C-1 to C-3, C-8, C-10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from services.api.core import configurations as core
from services.api.core.configurations import Details
from services.api.core.credentials import KEY_PAIR, MOST_KEY_GRACE, refresh_keys
from services.api.core.endpoints import set_configuration_webhook
from services.api.dialect import Call, RouteDef
from services.api.dialects.items import answers
from services.api.dialects.items import settings_wire as wire
from services.api.dialects.items.translate import utc
from services.api.responses import empty_response, json_response
from shared.domain.account import Configuration, CredentialKind
from shared.domain.refusal import Invalid, Problem

_ROOT: Final = "/api/reminder/configuration"
PATH: Final = f"{_ROOT}/{{agentId}}/{{configurationId}}"


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
    """Make a configuration; both of its keys are shown this once (B-002)."""
    body = call.read(wire.NewConfiguration, {"networks": call.core.networks})
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
    secret = await _set_webhook(call, configuration, body.integration_settings)
    answer: answers.NewConfigurationBody = {
        **await _told(call, configuration, secret),
        "primaryKey": new.primary_key,
        "secondaryKey": new.secondary_key,
    }
    return json_response(answer, status=201)


async def update(call: Call) -> web.Response:
    """Change a configuration; what is left out stays."""
    body = call.read(wire.ConfigurationUpdate, {"networks": call.core.networks})
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
    secret = await _set_webhook(call, changed, body.integration_settings)
    return json_response(await _told(call, changed, secret))


async def list_all(call: Call) -> web.Response:
    """Every configuration of the account, oldest first."""
    found = await core.list_configurations(call.tx, account_id=call.caller.account_id)
    urls = await core.webhook_urls(call.tx, account_id=call.caller.account_id)
    told = [to_configuration(found_one, urls.get(found_one.id)) for found_one in found]
    return json_response(answers.Configurations(items=told))


async def read(call: Call) -> web.Response:
    """One configuration; its keys are never shown again."""
    return json_response(await _told(call, await named(call)))


async def remove(call: Call) -> web.Response:
    """Remove a configuration: 204, or 409 while it has reminders that are not over."""
    await core.delete_configuration(call.tx, await named(call))
    return empty_response()


async def pause(call: Call) -> web.Response:
    """Pause a configuration: what falls due waits (B-265)."""
    paused = await core.set_running(call.tx, await named(call), running=False, now=call.now)
    return json_response(await _told(call, paused))


async def resume(call: Call) -> web.Response:
    """Resume a configuration: what waited goes out, as far as its lateness allows."""
    running = await core.set_running(call.tx, await named(call), running=True, now=call.now)
    return json_response(await _told(call, running))


async def refresh(call: Call) -> web.Response:
    """New keys, shown this once; the old ones end at once, or after `graceSeconds` (B-003, B-008)."""
    key_type, seconds = _to_refresh(call)
    kinds = (CredentialKind(key_type),) if key_type else KEY_PAIR
    configuration = await named(call)
    fresh = await refresh_keys(call.tx, configuration, kinds, grace=timedelta(seconds=seconds), now=call.now)
    answer: answers.FreshKeys = {
        "agentId": configuration.agent_id,
        "configurationId": configuration.configuration_id,
    }
    if CredentialKind.PRIMARY in fresh:
        answer["primaryKey"] = fresh[CredentialKind.PRIMARY]
    if CredentialKind.SECONDARY in fresh:
        answer["secondaryKey"] = fresh[CredentialKind.SECONDARY]
    return json_response(answer)


def _to_refresh(call: Call) -> tuple[wire.KeyType | None, int]:
    """Which key and what grace: from the query or the body, each said once. Raises `Invalid`."""
    query, body = call.read_query(wire.RefreshQuery), call.read(wire.RefreshBody)
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
    """How many reminders the configuration has, in which state (C-10)."""
    counted = await core.count_reminders(call.tx, await named(call), now=call.now)
    answer: answers.Numbers = {
        "total": counted.total,
        "active": counted.active,
        "pending": counted.pending,
        "completed": counted.completed,
        "expired": counted.expired,
        "cancelled": counted.cancelled,
        "recent": counted.recent,
    }
    return json_response(answer)


def to_configuration(configuration: Configuration, webhook_url: str | None) -> answers.ConfigurationBody:
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


async def _told(
    call: Call, configuration: Configuration, webhook_secret: str | None = None
) -> answers.ConfigurationBody:
    urls = await core.webhook_urls(call.tx, account_id=call.caller.account_id)
    told = to_configuration(configuration, urls.get(configuration.id))
    if webhook_secret is not None:
        told["webhookSecret"] = webhook_secret
    return told


async def _set_webhook(
    call: Call, configuration: Configuration, settings: wire.IntegrationSettings | None
) -> str | None:
    """Set or take away the webhook where the body says so; a new signing secret is shown this once (C-3)."""
    if settings is None or "webhook_url" not in settings.model_fields_set:
        return None
    return await set_configuration_webhook(
        call.tx,
        account_id=call.caller.account_id,
        configuration_id=configuration.id,
        url=settings.webhook_url,
        keyring=call.core.keyring,
        networks=call.core.networks,
        now=call.now,
    )


def _grace(seconds: int | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None


_TOLD: Final = {200: answers.ConfigurationBody}

ROUTES: Final = (
    RouteDef("POST", _ROOT, create, body=wire.NewConfiguration, answers={201: answers.NewConfigurationBody}),
    RouteDef("PUT", _ROOT, update, body=wire.ConfigurationUpdate, answers=_TOLD),
    RouteDef("GET", _ROOT, list_all, answers={200: answers.Configurations}),
    RouteDef("GET", PATH, read, answers=_TOLD),
    RouteDef("DELETE", PATH, remove, answers={204: None}),
    RouteDef("POST", f"{PATH}/pause", pause, answers=_TOLD),
    RouteDef("POST", f"{PATH}/resume", resume, answers=_TOLD),
    RouteDef(
        "POST",
        f"{PATH}/refresh-keys",
        refresh,
        body=wire.RefreshBody,
        body_optional=True,
        query=wire.RefreshQuery,
        answers={200: answers.FreshKeys},
    ),
    RouteDef("GET", f"{PATH}/numbers", numbers, answers={200: answers.Numbers}),
)
