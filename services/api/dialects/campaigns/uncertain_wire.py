"""The body of the routes of sends in doubt, and the types of their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo
from typing_extensions import TypedDict

from services.api.parse import EXACT, Wire
from shared.domain.occurrence import State
from shared.domain.reminder import Status


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be of printable characters")
    return text


def _of_a_sent_one(text: str | None, info: ValidationInfo) -> str | None:
    if text is not None and info.data.get("outcome") not in {None, "sent"}:
        raise ValueError("belongs to the outcome sent alone")
    return text


class Resolution(Wire):
    """`POST /v1/uncertain/{id}/resolve`."""

    model_config = EXACT

    outcome: Literal["sent", "not_sent", "closed"]
    """`not_sent` is tried again where there is time for it; `closed` gives it up without knowing."""
    provider_message_id: Annotated[
        Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)] | None,
        AfterValidator(_of_a_sent_one),
    ] = None


class UncertainBody(TypedDict):
    """A send whose answer was lost; `id` is the message's, as webhooks tell it."""

    id: UUID
    reminder_id: UUID
    external_id: str | None
    channel: str
    provider: str
    attempt: int
    scheduled_for: datetime
    started_at: datetime
    parked_at: datetime
    reason: str | None


class OneUncertain(TypedDict):
    success: bool
    uncertain: UncertainBody


class AllUncertain(TypedDict):
    success: bool
    uncertain: list[UncertainBody]
    total: int
    limit: int
    offset: int


class ResolvedBody(TypedDict):
    """`next_attempt_at` is null where it is not tried again."""

    id: UUID
    reminder_id: UUID
    status: State
    reason: str | None
    next_attempt_at: datetime | None
    reminder_status: Status


class OneResolved(TypedDict):
    success: bool
    resolved: ResolvedBody
