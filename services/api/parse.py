"""Bad requests, in one place: bytes and query parameters to strict pydantic models, or every problem at once.

Bodies are read by pydantic-core alone: it refuses bad UTF-8, lone surrogates, NaN and bottomless nesting, where
the standard library's reader would accept them or fail.
"""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import unquote_to_bytes

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.refusal import Invalid, Problem

M = TypeVar("M", bound=BaseModel)

_VALUE_ERROR: Final = "Value error, "


class Wire(BaseModel):
    """A body as it is on the wire: strict types, unknown fields ignored, names as the subclass says."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class CamelWire(Wire):
    """The same, with camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel)


def parse(request: web.Request, body: bytes, model: type[M]) -> M:
    """`body` as `model`. Raises `Invalid`, naming fields as the caller wrote them."""
    if "Content-Type" in request.headers and not _is_json(request.content_type):
        raise Invalid([Problem("", "the Content-Type must be application/json", "content_type_invalid")])
    if not body.strip():
        raise Invalid([Problem("", "the body is empty; a JSON object is needed", "missing")])
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Invalid(problems_of(error)) from None


def parse_query(request: web.Request, model: type[M]) -> M:
    """The query parameters as `model`, whose fields take text. Raises `Invalid`."""
    query = request.query
    twice = sorted({name for name in query if len(query.getall(name)) > 1})
    problems = [Problem(name, "given more than once", "repeated") for name in twice]
    try:
        parsed = model.model_validate({name: query[name] for name in query})
    except ValidationError as error:
        problems += [problem for problem in problems_of(error) if problem.field not in twice]
    if problems:
        raise Invalid(problems)
    return parsed


def problems_of(error: ValidationError) -> list[Problem]:
    """Each problem with its place, such as `sendTimes.2`, and never with the value."""
    return [
        Problem(
            field=".".join(str(part) for part in problem["loc"]),
            reason=problem["msg"].removeprefix(_VALUE_ERROR),
            code=problem["type"] if problem["type"] != "value_error" else "invalid",
        )
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def check_target(request: web.Request) -> None:
    """Refuse a path or query that is not UTF-8 or holds a NUL, which no store can keep. Raises `Invalid`."""
    try:
        text = unquote_to_bytes(request.raw_path).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid([Problem("", "the URL is not UTF-8", "url_invalid")]) from None
    if "\0" in text:
        raise Invalid([Problem("", "the URL holds a NUL character", "url_invalid")])


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")
