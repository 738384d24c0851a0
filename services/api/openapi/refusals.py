"""How a dialect's refusals sound: asked of the very function that renders them, so that the document cannot lie."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from services.api.dialect import Dialect
from services.api.openapi.schemas import Json, Schemas
from shared.domain import refusal as no

_ANY: Final[tuple[no.Refusal, ...]] = (
    no.Invalid([no.Problem("field", "is missing", "missing")]),
    no.Invalid([no.Problem("", "the body is not JSON", "json_invalid")]),
    no.Unauthenticated(),
    no.Forbidden("forbidden", "may not"),
    no.NotFound("thing"),
    no.QuotaExceeded(1),
    no.RateLimited(1),
    no.Broken(),
    no.Unavailable(),
)
_OF_WRITES: Final[tuple[no.Refusal, ...]] = (
    no.Conflict("conflict", "the present state forbids it"),
    no.Conflict("idempotency_key_reused", "this Idempotency-Key was used for another request"),
    no.TooLarge(1),
    no.TooSlow(),
)
SAMPLES: Final = (*_ANY, *_OF_WRITES, no.NotAllowed(["GET"]))
"""One of each kind."""

_TOLD: Final = ("Retry-After", "WWW-Authenticate")


def refusals(dialect: Dialect, schemas: Schemas) -> dict[int, Json]:
    """A response for each status that a refusal of the dialect has."""
    content = {"application/json": {"schema": schemas.answer(dialect.about.error)}}
    found: dict[int, Json] = {}
    for sample in SAMPLES:
        response = dialect.refuse(sample, "0" * 32)
        names = ["X-Request-Id", *(name for name in _TOLD if name in response.headers)]
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        told = {"description": f"{HTTPStatus(response.status).phrase}.", "headers": headers, "content": content}
        found.setdefault(response.status, told)
    return dict(sorted(found.items()))


def statuses(dialect: Dialect, *, writes: bool) -> list[int]:
    """The statuses with which a read, or a write, may be refused."""
    samples = (*_ANY, *_OF_WRITES) if writes else _ANY
    return sorted({dialect.refuse(sample, "0" * 32).status for sample in samples})
