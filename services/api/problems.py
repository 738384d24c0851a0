"""What is wrong with a body or a query, in plain sentences: a caller need not know the library that found it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.domain.refusal import Problem

LONGEST_NAME: Final = 100
"""Characters of a field's name that are told back: a caller may write anything there."""

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "is missing",
        "string_type": "must be a text",
        "string_sub_type": "must be a text",
        "string_unicode": "must be a text in UTF-8",
        "string_too_short": "must have {min_length} or more characters",
        "string_too_long": "must have at most {max_length} characters",
        "int_type": "must be a whole number",
        "int_parsing_size": "must be a smaller number",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "bool_type": "must be true or false",
        "literal_error": "must be one of {expected}",
        "enum": "must be one of {expected}",
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "dict_type": "must be a JSON object",
        "model_type": "must be a JSON object",
        "extra_forbidden": "is not known here",
        "json_invalid": "the body is not JSON{place}",
    }
)
_PLACE: Final = re.compile(r"line \d+ column \d+\Z")


def problems_of(error: ValidationError) -> list[Problem]:
    """Each problem with its place, such as `sendTimes.2`; with the value only where its check hands it on."""
    return [
        Problem(
            field=name_of(problem["loc"]),
            reason=_sentence(problem["type"], problem["msg"], problem.get("ctx", {})),
            code=problem["type"] if problem["type"] != "value_error" else "invalid",
            value=problem.get("ctx", {}).get("value"),
            suggestion=problem.get("ctx", {}).get("suggestion"),
        )
        for problem in error.errors(include_input=False, include_url=False)
    ]


def name_of(place: tuple[int | str, ...]) -> str:
    """The place of a value as callers are told it."""
    name = ".".join(str(part) for part in place)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class items:  # noqa: N801 - stands in an annotation like a function of pydantic's
    """How many items a list may have, asked before any of them is looked at."""

    least: int = 0
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "minItems": self.least, "maxItems": self.most}

    def _check(self, value: object) -> object:
        if isinstance(value, list | tuple) and not self.least <= len(value) <= self.most:
            code = "too_short" if len(value) < self.least else "too_long"
            raise PydanticCustomError(code, "must have {range} items", {"range": f"{self.least} to {self.most}"})
        return value


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind not in _SENTENCES:
        return message
    facts = {name: str(value) for name, value in context.items()}
    if "expected" in facts:
        facts["expected"] = facts["expected"].replace("'", "").replace(" or ", ", ")
    place = _PLACE.search(facts.get("error", ""))
    return _SENTENCES[kind].format_map(facts | {"place": f": see {place[0]}" if place else ""})
