"""What OpenAPI says of a value beyond its type, where a check of ours asks for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Shown:
    """Stands in an annotation; more keywords of JSON Schema as `schema`, lists as tuples."""

    example: str | None = None
    format: str | None = None
    schema: tuple[tuple[str, Any], ...] = ()

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        told = {"format": self.format, "examples": (self.example,) if self.example else None, **dict(self.schema)}
        more = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        return {**handler(core), **{name: value for name, value in more.items() if value is not None}}


def whole_number(least: int, most: int) -> Shown:
    """A text in a query that stands for a number."""
    return Shown(schema=(("type", "integer"), ("minimum", least), ("maximum", most)))


def shown_as(**example: Any) -> ConfigDict:
    """For a model of whose fields some exclude others: a body that is right."""
    return ConfigDict(json_schema_extra={"examples": [example]})


AN_ID = "0197a3f0-5f6e-7c3a-9d7e-3f1f6a2b4c5d"
TIME_ZONE = Shown("Europe/Berlin", "time-zone")
MOMENT = Shown("2026-05-29T09:00:00+02:00", "iso-date-time")
"""With an offset, or without: then a zone reads it."""
DURATION = Shown("PT3H", "duration")
E164 = Shown("+14155550132", "phone")
EMAIL = Shown("ada@example.com", "email")
URL = Shown("https://example.com/hook", "uri")
