"""The bodies of the webhook routes' answers, exactly as they are on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from services.api.core.deliveries import DeliveryState
from services.api.core.endpoints import Disabled, Rotation


class EndpointBody(TypedDict):
    """Without any secret, ever (B-148). What stands after `updated_at` is an addition of ours."""

    id: UUID
    name: str
    target_url: str
    source: str
    status: Literal["active", "disabled"]
    event_types: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    format: str
    rotation: Rotation
    disabled_at: datetime | None
    disabled_reason: Disabled | None


class Endpoints(TypedDict):
    success: Literal[True]
    endpoints: list[EndpointBody]


class OneEndpoint(TypedDict):
    success: Literal[True]
    endpoint: EndpointBody


class EndpointWithSecret(OneEndpoint):
    """`signing_secret` is shown this once."""

    signing_secret: str


class EndpointAfterRotation(OneEndpoint, total=False):
    """`signing_secret` is shown once, where a new one was staged."""

    signing_secret: str


class EndpointDeleted(TypedDict):
    success: Literal[True]
    deleted: Literal[True]


class DeliveryBody(TypedDict):
    """`attempts` counts those of the present ladder; a replay begins a new one."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject_id: UUID
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryAttemptBody(TypedDict):
    number: int
    started_at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response: str | None


class WholeDeliveryBody(DeliveryBody):
    """With its body as it is sent, and every attempt."""

    payload: dict[str, Any]
    attempt_log: list[DeliveryAttemptBody]


class OneDelivery(TypedDict):
    success: Literal[True]
    delivery: DeliveryBody


class OneWholeDelivery(TypedDict):
    success: Literal[True]
    delivery: WholeDeliveryBody


class Deliveries(TypedDict):
    success: Literal[True]
    deliveries: list[DeliveryBody]
    total: int
    limit: int
    offset: int


class BackfillBegun(TypedDict):
    id: UUID
    status: Literal["running"]


class ReplayOfRange(TypedDict):
    """`replayed` deliveries were started over; where there are `more`, ask again."""

    success: Literal[True]
    replayed: int
    more: bool
    backfill: BackfillBegun


class BackfillBody(TypedDict):
    """The second half of a replay: deliveries of events that the endpoint never got."""

    id: UUID
    endpoint_id: UUID
    status: Literal["running", "done"]
    deliveries: int
    created_at: datetime
    ended_at: datetime | None


class OneBackfill(TypedDict):
    success: Literal[True]
    backfill: BackfillBody
