"""The templates of a configuration by the account's key."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from aiohttp import web

from services.api.core import templates as core
from services.api.core.templates import KeptTemplate, Template
from services.api.dialect import Call, RouteDef
from services.api.dialects.items import answers
from services.api.dialects.items import settings_wire as wire
from services.api.dialects.items.configurations import PATH, named
from services.api.dialects.items.translate import utc
from services.api.responses import empty_response, json_response
from shared.domain.template import placeholders

_TEMPLATES: Final = f"{PATH}/templates"
_TEMPLATE: Final = f"{_TEMPLATES}/{{name}}"


async def create(call: Call) -> web.Response:
    """Make a template: 201, or 409 where there is one of that name."""
    body = call.read(wire.NewTemplate)
    configuration = await named(call)
    template = Template(
        name=body.name,
        channel=body.channel or configuration.channel,
        language=body.language,
        subject=body.subject,
        body=body.body,
        provider_name=body.provider_name,
    )
    return json_response(
        to_template(await core.create_template(call.tx, configuration, template, now=call.now)), status=201
    )


async def update(call: Call) -> web.Response:
    """Change a template; what is left out stays."""
    body = call.read(wire.TemplateChange)
    configuration = await named(call)
    kept = await core.hold_template(call.tx, configuration, call.request.match_info["name"])
    given = {field: getattr(body, field) for field in body.model_fields_set}
    changed = await core.update_template(call.tx, configuration, replace(kept, **given), now=call.now)
    return json_response(to_template(changed))


async def list_all(call: Call) -> web.Response:
    """Every template of the configuration, by name."""
    found = await core.list_templates(call.tx, await named(call))
    return json_response(answers.Templates(items=[to_template(template) for template in found]))


async def read(call: Call) -> web.Response:
    """One template."""
    return json_response(
        to_template(await core.get_template(call.tx, await named(call), call.request.match_info["name"]))
    )


async def remove(call: Call) -> web.Response:
    """Remove a template."""
    await core.delete_template(call.tx, await named(call), call.request.match_info["name"])
    return empty_response()


def to_template(template: KeptTemplate) -> answers.TemplateBody:
    """As a caller reads it."""
    return {
        "name": template.name,
        "channel": template.channel,
        "language": template.language,
        "subject": template.subject,
        "body": template.body,
        "providerName": template.provider_name,
        "parameterCount": placeholders(template.body),
        "createdAt": utc(template.created_at),
        "updatedAt": utc(template.updated_at),
    }


ROUTES: Final = (
    RouteDef("POST", _TEMPLATES, create, body=wire.NewTemplate, answers={201: answers.TemplateBody}),
    RouteDef("GET", _TEMPLATES, list_all, answers={200: answers.Templates}),
    RouteDef("GET", _TEMPLATE, read, answers={200: answers.TemplateBody}),
    RouteDef("PUT", _TEMPLATE, update, body=wire.TemplateChange, answers={200: answers.TemplateBody}),
    RouteDef("DELETE", _TEMPLATE, remove, answers={204: None}),
)
