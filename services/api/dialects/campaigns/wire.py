"""The bodies and queries of the webhook routes, exactly as they are on the wire."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from services.api.core.deliveries import DeliveryState
from services.api.core.endpoints import EVENT_TYPES
from services.api.parse import EXACT, PARTIAL, Wire
from services.api.problems import items
from services.api.shown import AN_ID, MOMENT, URL, Shown, shown_as, whole_number
from shared.domain.schedule import BadTime, instant
from shared.domain.webhook_url import BadUrl, check_url

_TYPES: Final = frozenset(EVENT_TYPES)
_STATES: Final = frozenset(state.value for state in DeliveryState)


def _line(text: str) -> str:
    if not text.strip() or any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("must have a printable character and no control characters")
    return text


def _url(text: str, info: ValidationInfo) -> str:
    """`networks` of the context are the deployment's exceptions."""
    try:
        check_url(text, (info.context or {}).get("networks", ()))
    except BadUrl as error:
        raise PydanticCustomError("url_refused", "{why}", {"why": str(error)}) from None
    return text


def _event_type(text: str) -> str:
    if text not in _TYPES:
        raise ValueError(f"is not an event type; those are {', '.join(EVENT_TYPES)}")
    return text


def _state(text: str) -> str:
    if text not in _STATES:
        raise ValueError(f"must be one of {', '.join(sorted(_STATES))}")
    return text


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("must be a whole number of at most 9 digits")
    return text


def _one_or_more(text: str) -> str:
    if int(_digits(text)) < 1:
        raise ValueError("must be 1 or more")
    return text


def _states(text: str) -> str:
    for part in text.split(","):
        _state(part)
    return text


def _moment(text: str) -> str:
    try:
        instant(text, ZoneInfo("UTC"))
    except BadTime as error:
        raise ValueError(str(error)) from None
    return text


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_line)]
Url = Annotated[str, Field(min_length=1), AfterValidator(_url), URL]
EventTypes = Annotated[
    tuple[Annotated[str, AfterValidator(_event_type), Shown(schema=(("enum", EVENT_TYPES),))], ...],
    Field(strict=False),
    items(least=1, most=200),
]
Moment = Annotated[str, AfterValidator(_moment), MOMENT]
Id = Annotated[str, Field(min_length=1, max_length=255)]


class NewEndpoint(Wire):
    """`POST /v1/webhooks` (B-149)."""

    name: Name
    target_url: Url
    event_types: EventTypes


class EndpointChange(Wire):
    """`PATCH /v1/webhooks/{id}`: what is left out stays."""

    model_config = PARTIAL

    name: Name | None = None
    target_url: Url | None = None
    event_types: EventTypes | None = None
    status: Literal["active", "disabled"] | None = None


class EndpointToDelete(Wire):
    """`POST /v1/webhooks/delete` (B-153)."""

    model_config = EXACT

    endpoint_id: Id


class RotationStep(Wire):
    """`POST /v1/webhooks/{id}/rotate-secret`."""

    model_config = EXACT

    phase: Literal["stage", "promote", "retire"] = "stage"


_STATE_LIST: Final = f"({'|'.join(sorted(_STATES))})"


class DeliveryQuery(Wire):
    """`GET /v1/webhooks/{id}/deliveries`; several states are joined by commas."""

    state: (
        Annotated[
            str,
            AfterValidator(_states),
            Shown("exhausted,held", schema=(("pattern", f"^{_STATE_LIST}(,{_STATE_LIST})*$"),)),
        ]
        | None
    ) = None
    limit: Annotated[str, AfterValidator(_one_or_more), whole_number(1, 999_999_999)] = "50"
    offset: Annotated[str, AfterValidator(_digits), whole_number(0, 999_999_999)] = "0"


class Replay(Wire):
    """`POST /v1/webhooks/{id}/replay`: one delivery, or a range of time."""

    model_config = EXACT | shown_as(delivery_id=AN_ID)

    delivery_id: Id | None = None
    start: Annotated[Moment | None, Field(alias="from")] = None
    end: Annotated[Moment | None, Field(alias="to")] = None
    states: Annotated[
        tuple[Annotated[str, AfterValidator(_state), Shown(schema=(("enum", tuple(sorted(_STATES))),))], ...],
        Field(strict=False),
        items(least=1, most=len(_STATES)),
    ] = (DeliveryState.EXHAUSTED.value,)
    event_types: EventTypes | None = None

    @model_validator(mode="after")
    def _one_or_a_range(self) -> Self:
        if (self.delivery_id is None) == (self.start is None):
            raise ValueError("give either delivery_id, or from (and to)")
        return self


def read_id(text: str) -> UUID | None:
    """A UUID in its usual spelling, or None: such an id is nobody's."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
