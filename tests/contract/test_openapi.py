"""The OpenAPI document: valid, whole, and true of what routes declare."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, get_args

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from services.api.app import openapi
from services.api.dialect import Dialect, RouteDef
from services.api.dialects import DIALECTS
from services.api.openapi import POLICY, page
from services.api.openapi.example import example
from services.api.openapi.refusals import SAMPLES
from shared.domain.refusal import Refusal

DOCUMENT = openapi()
ROUTES = [(dialect, route) for dialect in DIALECTS for route in dialect.routes]
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def _name(value: Any) -> str:
    return f"{value.method} {value.path}" if isinstance(value, RouteDef) else getattr(value, "name", "")


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_every_route_is_an_operation_with_a_name_of_its_own() -> None:
    assert len(OPERATIONS) == len(ROUTES)
    names = Counter(operation["operationId"] for _, _, operation in OPERATIONS)
    assert max(names.values()) == 1


@pytest.mark.parametrize(("dialect", "route"), ROUTES, ids=_name)
def test_every_route_declares_its_success_and_says_what_it_does(dialect: Dialect, route: RouteDef) -> None:
    assert dialect.about.title
    assert route.answers, "declare answers={status: TypedDict}"
    assert all(200 <= status < 300 for status in route.answers)
    assert route.handler.__doc__, "a docstring is what readers of the document see"


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=[o["operationId"] for *_, o in OPERATIONS])
def test_b_255_an_operation_tells_door_proof_parameters_and_refusals(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    [tag] = operation["tags"]
    assert tag in {dialect.name for dialect in DIALECTS}
    assert operation["summary"]
    assert operation["security"]
    in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    refusals = {"401", "404", "500", "503"} | ({"409", "413"} if method != "get" else set())
    assert refusals <= set(operation["responses"])
    headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
    assert headers == ({"Idempotency-Key"} if method != "get" else set())


@pytest.mark.parametrize("dialect", DIALECTS, ids=_name)
@pytest.mark.parametrize("refusal", SAMPLES, ids=lambda refusal: type(refusal).__name__)
def test_b_255_every_refusal_has_the_declared_body(dialect: Dialect, refusal: Any) -> None:
    response = dialect.refuse(refusal, "0" * 32)
    TypeAdapter(dialect.about.error).validate_json(bytes(response.body or b""), strict=True)  # type: ignore[arg-type]
    assert f"{dialect.name}.{response.status}" in DOCUMENT["components"]["responses"]


def test_no_two_models_of_a_dialect_have_one_name() -> None:
    """They would be told by the names of their modules, or as input and output."""
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name or name.endswith("put")] == []


def test_refusals_are_asked_of_every_kind() -> None:
    assert {type(refusal) for refusal in SAMPLES} == set(get_args(Refusal))


def test_nothing_in_the_document_names_our_lists() -> None:
    assert re.findall(r"\b[BC]-\d+|\b[Ss]eed \d+|[Dd]ocument 00\d", json.dumps(DOCUMENT)) == []


@pytest.mark.parametrize(
    ("dialect", "route"), [(d, r) for d, r in ROUTES if r.body is not None and not r.body_optional], ids=_name
)
def test_the_page_shows_bodies_that_are_read(dialect: Dialect, route: RouteDef) -> None:
    """The curl line of an operation holds a body that its handler's model takes."""
    assert route.body is not None
    schemas = DOCUMENT["components"]["schemas"]
    body = example({"$ref": f"#/components/schemas/{dialect.name}.{route.body.__name__}"}, schemas)
    context = {"networks": (), "region": "US"}
    route.body.model_validate_json(json.dumps(body), context=context)


def test_the_page_has_every_operation_and_schema_and_runs_nothing() -> None:
    html = page(DOCUMENT)
    assert all(f'id="{operation["operationId"]}"' in html for *_, operation in OPERATIONS)
    assert all(f'id="schema-{name}"' in html for name in DOCUMENT["components"]["schemas"])
    assert "<script" not in html
    assert "http://" not in html
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
