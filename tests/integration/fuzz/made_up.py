"""Requests made up from the OpenAPI document: right ones, wrong ones, and names of things that there are."""

from __future__ import annotations

import copy
from typing import Any
from zoneinfo import available_timezones

import schemathesis
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

from services.api.app import openapi

Json = dict[str, Any]

_AWARE = st.builds(
    lambda moment, offset: moment.isoformat() + offset,
    st.datetimes(timezones=st.none()),
    st.sampled_from(["", "Z", "+02:00", "-11:30"]),
)
_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "time-zone": st.sampled_from(sorted(available_timezones())),
    "iso-date-time": _AWARE,
    "date-or-moment": st.one_of(st.dates().map(str), _AWARE),
    "phone": st.sampled_from(["+14155550132", "4155550132", "415-555-0132", "+6281234567890", "+1"]),
    "dialling-code": st.sampled_from(["+62", "62", "0062", "+1", "+999"]),
    "national-phone": st.sampled_from(["81234567890", "081234567890", "+6281234567890", "4155550132", "1"]),
    "duration": st.sampled_from(["PT0S", "PT3H", "P1D", "P2W", "P1DT2H30M", "P1M", "-P1D", "PT99999999H"]),
    "template-text": st.sampled_from(["See you at {{1}}.", "{{1}} {{2}}", "none", "{{0}}", "{{"]),
    "uri": st.sampled_from(["https://example.com/hook", "http://127.0.0.1/", "https://[::1]/", "https://é.example/"]),
}
"""Values that pass the checks which a schema cannot say, and a few that nearly do."""


def _answers_closed(document: Json) -> Json:
    """The document with every answer of success closed: a field that is not declared is a fault."""
    closed = copy.deepcopy(document)
    schemas = closed["components"]["schemas"]
    answers = [
        response["content"]["application/json"]["schema"]
        for methods in closed["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        if "content" in response
    ]
    seen: set[str] = set()

    def close(schema: Any) -> None:
        if isinstance(schema, list):
            for inner in schema:
                close(inner)
        elif isinstance(schema, dict):
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                close(schemas[name])
            if isinstance(schema.get("properties"), dict):
                schema.setdefault("additionalProperties", False)
            for inner in schema.values():
                close(inner)

    close(answers)
    return closed


def _operations() -> dict[str, APIOperation]:
    for name, strategy in _FORMATS.items():
        schemathesis.openapi.format(name, strategy)
    schema = schemathesis.openapi.from_dict(_answers_closed(openapi()))
    schema.config.generation.with_security_parameters = False
    found = (result.ok() for result in schema.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


OPERATIONS = _operations()


@st.composite
def cases(draw: st.DrawFn, operation: APIOperation) -> tuple[Case, dict[str, bool]]:
    """A request, and for each name whether it is to be one of something that there is: mostly so."""
    modes = [GenerationMode.POSITIVE, GenerationMode.POSITIVE]
    if operation.body or operation.query or operation.path_parameters:
        modes.append(GenerationMode.NEGATIVE)
    case = draw(operation.as_strategy(generation_mode=draw(st.sampled_from(modes))))
    return case, {place: draw(st.integers(0, 3)) > 0 for place in ("path", "query", "body")}


def with_known(case: Case, chosen: dict[str, bool], known: dict[str, Any]) -> Case:
    """Put names of what there is into the places that were chosen."""
    if chosen["path"] and case.path_parameters:
        case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
    if chosen["query"] and case.query:
        case.query = {name: known.get(name, value) for name, value in case.query.items()}
    if chosen["body"] and isinstance(case.body, dict):
        case.body = _replaced(case.body, known)
    return case


def _replaced(value: Any, known: dict[str, Any]) -> Any:
    match value:
        case dict():
            return {name: known[name] if name in known else _replaced(inner, known) for name, inner in value.items()}
        case list():
            return [_replaced(inner, known) for inner in value]
    return value
