"""The running API answers as its OpenAPI document says, whatever it is asked: no 500, no answer outside the schema."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from integration.fuzz.conftest import RunningApi
from integration.fuzz.made_up import OPERATIONS, cases, with_known
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.api.app import openapi
from services.api.openapi import POLICY

REQUESTS = int(os.environ.get("FUZZ", "12"))
"""For each operation; `make fuzz` asks for many more."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DESTROYS = ("_remove", "_delete", "_delete_by_body", "_refresh", "_bulk", "_resolve")


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_b_094_b_249_the_api_answers_as_its_document_says(operation_id: str, api: RunningApi) -> None:
    """Each operation has an account of its own; what it destroys is made anew."""
    operation = OPERATIONS[operation_id]
    world = api.new_world()
    known = world.known(operation_id, operation.path)

    @settings(
        max_examples=REQUESTS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=cases(operation))
    def ask(drawn: tuple[Case, dict[str, bool]]) -> None:
        nonlocal world, known
        case = with_known(*drawn, known)
        response = case.call_and_validate(
            base_url=world.base_url, session=api.session, headers=world.headers(operation_id), checks=CHECKS
        )
        if operation_id.endswith(DESTROYS) and response.status_code < 300:
            world = api.new_world()
            known = world.known(operation_id, operation.path)

    ask()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_b_004_b_088_b_208_without_a_proof_an_operation_is_refused_as_its_document_says(
    operation_id: str, api: RunningApi
) -> None:
    operation = OPERATIONS[operation_id]
    body = {"body": {}, "media_type": "application/json"} if operation.body else {}
    case = operation.Case(path_parameters={one.name: "x" for one in operation.path_parameters}, **body)
    response = case.call_and_validate(base_url=api.runtime.addresses["api"], session=api.session, checks=CHECKS)
    assert response.status_code == 401


def test_the_document_and_its_page_are_served(api: RunningApi) -> None:
    base = api.runtime.addresses["api"]
    assert api.session.get(f"{base}/openapi.json", timeout=10).json() == openapi()
    page = api.session.get(f"{base}/docs", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == POLICY
    assert "integration_create" in page.text
    assert api.session.get(base, timeout=10).json()["openapi"] == "/openapi.json"
