"""JSON Schemas of one dialect: its bodies, queries, answers and path parameters, asked of pydantic in one go."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from services.api.dialect import Dialect

Json = dict[str, Any]

_Mode = Literal["validation", "serialization"]
_PLACE: Final = "#/components/schemas/"


class _Untitled(GenerateJsonSchema):
    """Without titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's
        return False


class Schemas:
    """What a dialect's models look like on the wire; names begin with the dialect's, so that no two are the same."""

    def __init__(self, dialect: Dialect) -> None:
        wanted: dict[tuple[Any, _Mode], TypeAdapter[Any]] = {}
        for type_, mode in _types_of(dialect):
            wanted.setdefault((_key(type_), mode), TypeAdapter(type_))
        found, rest = TypeAdapter.json_schemas(
            [(key, mode, adapter) for (key, mode), adapter in wanted.items()],
            ref_template=f"{_PLACE}{dialect.name}.{{model}}",
            schema_generator=_Untitled,
        )
        self._found: dict[tuple[Any, _Mode], Json] = dict(found)
        everything = {f"{dialect.name}.{name}": _untitled(schema) for name, schema in rest.get("$defs", {}).items()}
        self._everything = everything
        self._queries = {_key(route.query) for route in dialect.routes if route.query is not None}

    @property
    def components(self) -> dict[str, Json]:
        """All that is referred to, by name. Queries are told field by field, so they are not there themselves."""
        roots = [schema for (key, _), schema in self._found.items() if key not in self._queries]
        roots += [self._whole(schema) for (key, _), schema in self._found.items() if key in self._queries]
        named: dict[str, Json] = {}
        open_ = [name for root in roots for name in _references(root)]
        while open_:
            name = open_.pop()
            if name not in named:
                named[name] = self._everything[name]
                open_ += _references(named[name])
        return {name: named[name] for name in sorted(named)}

    def body(self, model: Any) -> Json:
        """What a handler reads."""
        return self._found[_key(model), "validation"]

    def answer(self, type_: Any) -> Json:
        """What a handler writes."""
        return self._found[_key(type_), "serialization"]

    def query(self, model: Any) -> list[Json]:
        """One parameter for each field."""
        schema = self._whole(self._found[_key(model), "validation"])
        required = schema.get("required", [])
        return [_parameter(name, field, name in required) for name, field in schema.get("properties", {}).items()]

    def path(self, type_: Any) -> Json:
        """A path parameter's schema, without its title."""
        return self._found[_key(type_), "validation"]

    def _whole(self, schema: Json) -> Json:
        return self._everything[schema["$ref"].removeprefix(_PLACE)] if "$ref" in schema else schema


def _types_of(dialect: Dialect) -> list[tuple[Any, _Mode]]:
    types: list[tuple[Any, _Mode]] = []
    for route in dialect.routes:
        types += [(model, "validation") for model in (route.body, route.query) if model is not None]
        types += [(type_, "serialization") for type_ in route.answers.values() if type_ is not None]
    types.append((dialect.about.error, "serialization"))
    return types + [(type_, "validation") for type_ in dialect.about.parameters.values()]


def _key(type_: Any) -> Any:
    """Equal for equal types, also where they cannot be hashed."""
    return type_ if isinstance(type_, type) else repr(type_)


def _parameter(name: str, field: Json, required: bool) -> Json:
    """A query can hold no null: what is left out is left out."""
    schema = {key: value for key, value in field.items() if key != "description"}
    choices = [choice for choice in schema.pop("anyOf", []) if choice.get("type") != "null"]
    if len(choices) == 1:
        schema = {**choices[0], **schema}
    elif choices:
        schema["anyOf"] = choices
    if schema.get("default", "") is None:
        del schema["default"]
    if schema.get("type") == "integer" and isinstance(schema.get("default"), str):
        schema["default"] = int(schema["default"])
    told = {"name": name, "in": "query", "required": required, "schema": schema}
    return told | ({"description": field["description"]} if "description" in field else {})


def _untitled(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "title"}


def _references(value: Any) -> list[str]:
    match value:
        case dict():
            own = [value["$ref"].removeprefix(_PLACE)] if isinstance(value.get("$ref"), str) else []
            return own + [name for inner in value.values() for name in _references(inner)]
        case list():
            return [name for inner in value for name in _references(inner)]
    return []
