"""One route as an OpenAPI operation."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

from services.api.dialect import Dialect, RouteDef
from services.api.openapi.refusals import statuses
from services.api.openapi.schemas import Json, Schemas
from services.api.openapi.words import summary, told

_PARAMETER: Final = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")

IDEMPOTENCY_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and the same request get the same answer for 24 hours, and the work is done once.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def template_of(path: str) -> str:
    """aiohttp's `/a/{id:[0-9]+}` as OpenAPI's `/a/{id}`."""
    return _PARAMETER.sub(r"{\1}", path)


def operation(dialect: Dialect, route: RouteDef, schemas: Schemas, refused: dict[int, Json]) -> Json:
    """All that callers need to know of `route`; `refused` are the dialect's responses to refusals."""
    text = told(route.handler)
    whole: Json = {
        "operationId": operation_id(dialect, route),
        "tags": [dialect.name],
        "summary": summary(text),
        "description": text,
        "security": [{name: []} for name in dialect.about.proofs],
        "parameters": _parameters(dialect, route, schemas),
        "responses": {str(status): _answer(route, status, type_, schemas) for status, type_ in route.answers.items()},
    }
    if route.body is not None:
        content = {"application/json": {"schema": schemas.body(route.body)}}
        whole["requestBody"] = {"required": not route.body_optional, "content": content}
    for status in statuses(dialect, writes=route.writes):
        if str(status) not in whole["responses"] and status in refused:
            whole["responses"][str(status)] = {"$ref": f"#/components/responses/{dialect.name}.{status}"}
    return whole


def operation_id(dialect: Dialect, route: RouteDef) -> str:
    """Dialect, module and handler, each told once: a name in generated clients, so it stays."""
    handler = route.handler
    module = handler.__module__.rpartition(".")[2]
    names = dict.fromkeys((dialect.name, module, getattr(handler, "__name__", "handler").strip("_")))
    return "_".join(names)


def _parameters(dialect: Dialect, route: RouteDef, schemas: Schemas) -> list[Json]:
    types = dialect.about.parameters
    found: list[Json] = []
    for match in _PARAMETER.finditer(route.path):
        name, pattern = match.groups()
        schema = schemas.path(types[name]) if name in types else {"type": "string", "minLength": 1}
        if pattern:
            schema = {**schema, "pattern": f"^{pattern}$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if route.query is not None:
        found += schemas.query(route.query)
    return found + ([IDEMPOTENCY_KEY] if route.writes else [])


def _answer(route: RouteDef, status: int, type_: Any, schemas: Schemas) -> Json:
    names = ["X-Request-Id", *route.headers, *(["Idempotent-Replayed"] if route.writes else [])]
    response: Json = {
        "description": f"{HTTPStatus(status).phrase}.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if type_ is not None:
        response["content"] = {"application/json": {"schema": schemas.answer(type_)}}
    return response
