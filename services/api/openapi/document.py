"""The whole document. Pure: the same dialects give the same document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from services.api.dialect import Dialect
from services.api.openapi.operations import operation, template_of
from services.api.openapi.refusals import refusals
from services.api.openapi.schemas import Schemas
from services.api.openapi.words import without_sources

DESCRIPTION: Final = (
    "One tag for each door. Every answer has an `X-Request-Id`; every write takes an `Idempotency-Key`, and answers "
    "the same again for 24 hours. A path may end in a slash. GET may be HEAD. A method that a path does not take is "
    "answered 405 with `Allow`, in the shape of the door's other errors. Fields that are not named here are ignored, "
    "but where a schema forbids them. What is no HTTP that can be read, or has a first line over 32 kB, is answered "
    "400 in the shape of Items' errors, since it is nobody's."
)

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {
        "description": "The request's id, as the log has it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "Idempotent-Replayed": {
        "description": "There where this `Idempotency-Key` was answered before: this is that answer.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Seconds after which the request may be sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How a caller is proved.", "required": True, "schema": {"type": "string"}},
    "Belltower-Cancel-Outcome": {
        "description": "What the cancel came in time for.",
        "schema": {"type": "string", "enum": ["prevented", "in_flight", "already_sent"]},
    },
}


def document(dialects: Sequence[Dialect], *, version: str) -> dict[str, Any]:
    """OpenAPI 3.1 as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    ids: Counter[str] = Counter()
    components: dict[str, dict[str, Any]] = {"schemas": {}, "responses": {}, "headers": HEADERS, "securitySchemes": {}}
    for dialect in dialects:
        schemas = Schemas(dialect)
        refused = refusals(dialect, schemas)
        for route in dialect.routes:
            told = operation(dialect, route, schemas, refused)
            ids[told["operationId"]] += 1
            if ids[told["operationId"]] > 1:  # the same handler on a second path
                told["operationId"] += f"_{ids[told['operationId']]}"
            paths.setdefault(template_of(route.path), {})[route.method.lower()] = told
        components["schemas"].update(schemas.components)
        components["responses"].update({f"{dialect.name}.{status}": body for status, body in refused.items()})
        components["securitySchemes"].update(dialect.about.proofs)
    whole: dict[str, Any] = without_sources(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Belltower",
                "version": version,
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [_tag(dialect) for dialect in dialects],
            "paths": paths,
            "components": components,
        }
    )
    return whole


def _tag(dialect: Dialect) -> dict[str, str]:
    return {"name": dialect.name, "description": f"{dialect.about.title}. {dialect.about.description}"}
