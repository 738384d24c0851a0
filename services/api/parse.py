"""Bad requests, in one place: bytes and query parameters to strict pydantic models, or every problem at once.

Bodies are read by pydantic-core first: it refuses bad UTF-8, lone surrogates and bottomless nesting, where the standard
library's reader would accept them or fail. What it lets pass itself is in `json_body`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from services.api.json_body import lax_problems
from services.api.problems import problems_of
from shared.domain.refusal import Invalid, Problem

M = TypeVar("M", bound=BaseModel)

SECRET_PARAMETER: Final = "secret"  # noqa: S105 - its name
"""The one query parameter that proves a caller (B-001): kept out of logs, digests and checks of text."""


EXACT: Final = ConfigDict(extra="forbid")
"""For what destroys something: a mistyped name must not make it mean more, so unknown ones are refused."""


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


PARTIAL: Final = ConfigDict(json_schema_extra=_without_defaults)
"""For a change: what is left out stays as it is, so the schema must not name a default."""


class Wire(BaseModel):
    """A body as it is on the wire: strict types, unknown fields ignored, names as the subclass says."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class CamelWire(Wire):
    """The same, with camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel)


def parse(request: web.Request, body: bytes, model: type[M], context: Mapping[str, Any] | None = None) -> M:
    """`body` as `model`. Raises `Invalid`, naming fields as the caller wrote them.

    `context` is what checks need to know of the deployment.
    """
    if "Content-Type" in request.headers and not _is_json(request.content_type):
        raise Invalid([Problem("", "the Content-Type must be application/json", "content_type_invalid")])
    if not body.strip():
        raise Invalid([Problem("", "the body is empty; a JSON object is needed", "missing")])
    parsed, problems = _read(body, model, context)
    if not any(problem.code == "json_invalid" for problem in problems):
        named = {problem.field for problem in problems}
        problems += [one for one in lax_problems(body) if one.code == "repeated" or one.field not in named]
    if parsed is None or problems:
        raise Invalid(problems)
    return parsed


def _read(body: bytes, model: type[M], context: Mapping[str, Any] | None) -> tuple[M | None, list[Problem]]:
    try:
        return model.model_validate_json(body, context=context), []
    except ValidationError as error:
        return None, problems_of(error)


def parse_query(request: web.Request, model: type[M], context: Mapping[str, Any] | None = None) -> M:
    """The query parameters as `model`, whose fields take text. Raises `Invalid`."""
    query = request.query
    twice = sorted({name for name in query if len(query.getall(name)) > 1})
    problems = [Problem(name, "given more than once", "repeated") for name in twice]
    try:
        parsed = model.model_validate({name: query[name] for name in query}, context=context)
    except ValidationError as error:
        problems += [problem for problem in problems_of(error) if problem.field not in twice]
    if problems:
        raise Invalid(problems)
    return parsed


def check_target(request: web.Request) -> None:
    """Refuse a path or query that is not UTF-8 or holds a NUL, which no store can keep. Raises `Invalid`.

    A secret in the query is no text to keep: it is compared, and what is no secret of ours is wrong (B-004).
    """
    path, _, query = request.raw_path.partition("?")
    parts = [path, *(part for part in query.split("&") if not _is_secret(part))]
    try:
        text = unquote_to_bytes("&".join(parts)).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid([Problem("", "the URL is not UTF-8", "url_invalid")]) from None
    if "\0" in text:
        raise Invalid([Problem("", "the URL holds a NUL character", "url_invalid")])


def _is_secret(parameter: str) -> bool:
    return unquote_to_bytes(parameter.partition("=")[0]) == SECRET_PARAMETER.encode()


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")
