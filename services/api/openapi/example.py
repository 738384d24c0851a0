"""A value that fits a schema: what a reader would write in its place."""

from __future__ import annotations

from typing import Any, Final

from services.api.openapi.schemas import Json

_FORMATS: Final = {
    "uuid": "0197a3f0-5f6e-7c3a-9d7e-3f1f6a2b4c5d",
    "date-time": "2026-05-29T09:00:00Z",
    "date": "2026-05-29",
    "email": "ada@example.com",
    "uri": "https://example.com/hook",
}
_DEEPEST: Final = 6


def example(schema: Json, schemas: dict[str, Json], *, depth: int = 0) -> Any:
    """`schemas` are the document's components. Fields that need not be given are left out where some must be."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth=depth)
    told = [*schema.get("examples", []), *schema.get("enum", []), schema.get("const"), schema.get("default")]
    known = next((value for value in told if value is not None), None)
    if known is not None:
        return known
    choices = [schema[word][0] for word in ("anyOf", "oneOf", "allOf") if word in schema]
    return example(choices[0], schemas, depth=depth) if choices else _made_up(schema, schemas, depth)


def _made_up(schema: Json, schemas: dict[str, Json], depth: int) -> Any:
    deep = depth >= _DEEPEST
    match schema.get("type"):
        case "object":
            return {} if deep else _object(schema, schemas, depth)
        case "array":
            return [] if deep else [example(schema.get("items", {}), schemas, depth=depth + 1)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return _FORMATS.get(schema.get("format", ""), "…")


def _object(schema: Json, schemas: dict[str, Json], depth: int) -> Json:
    fields = schema.get("properties", {})
    names = schema.get("required") or list(fields)[:3]
    return {name: example(fields[name], schemas, depth=depth + 1) for name in names if name in fields}
