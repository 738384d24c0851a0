"""The bodies of the routes of campaigns and messages, exactly as they are on the wire, and the types of the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, NotRequired
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from services.api.dialects.campaigns.wire import Id, Moment, Name
from services.api.parse import Wire
from services.api.problems import items
from services.api.shown import AN_ID, DURATION, shown_as
from shared.domain.campaign import MAX_OFFSETS, MAX_TEXT
from shared.domain.duration import BadDuration, Duration
from shared.domain.macros import BadText, check_text
from shared.domain.receipt import Report

_LONGEST: Final = 10_000
"""Characters of a campaign's text; on channels to telephones `MAX_TEXT`."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must have a character that is not a space")
    return text


def _with_macros(text: str) -> str:
    try:
        check_text(text)
    except BadText as error:
        raise ValueError(str(error)) from None
    return text


def _duration(text: str) -> str:
    try:
        Duration.parse(text)
    except BadDuration as error:
        raise ValueError(str(error)) from None
    return text


def _once_each(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len({Duration.parse(text) for text in texts}) < len(texts):
        raise ValueError("must not hold the same duration twice")
    return texts


CampaignType = Literal["recurring", "one_off"]
Channel = Literal["sms", "whatsapp", "email"]
Category = Literal["marketing", "transactional"]
Text = Annotated[str, Field(max_length=_LONGEST), AfterValidator(_not_blank), AfterValidator(_with_macros)]
Subject = Annotated[Name, AfterValidator(_with_macros)]
Offsets = Annotated[
    tuple[Annotated[str, AfterValidator(_duration), DURATION], ...],
    Field(strict=False),
    items(least=0, most=MAX_OFFSETS),
    AfterValidator(_once_each),
]


class NewCampaign(Wire):
    """`POST /v1/campaigns` (B-097, B-098)."""

    name: Name
    type: CampaignType
    status: Literal["draft", "running"] = "running"
    channel: Channel = "sms"
    category: Category = "marketing"
    subject: Subject | None = None
    body: Text
    offsets: Offsets = ()
    send_at: Moment | None = None


_LEFT_OUT: Final[Any] = Field(default_factory=lambda: None)
"""The field may be left out, and may not be null."""


class CampaignChange(Wire):
    """`PATCH /v1/campaigns/{id}`: what is left out stays; null clears `subject` and `send_at`."""

    name: Name = _LEFT_OUT
    type: CampaignType = _LEFT_OUT
    status: Literal["running", "paused", "completed"] = _LEFT_OUT
    channel: Channel = _LEFT_OUT
    category: Category = _LEFT_OUT
    subject: Subject | None = None
    body: Text = _LEFT_OUT
    offsets: Offsets = _LEFT_OUT
    send_at: Moment | None = None


def _one_of_both(contact_id: str | None, info: ValidationInfo) -> str | None:
    if contact_id is None and info.data.get("customer_id", "") is None:
        raise PydanticCustomError("MISSING_IDENTIFIER", "give contact_id; customer_id is its older name")
    return contact_id


class ToEnroll(Wire):
    """`POST /v1/campaigns-enroll` (B-130); `contact_id` wins over its older name (B-131)."""

    model_config = shown_as(campaign_id=AN_ID, contact_id=AN_ID)

    campaign_id: Id
    customer_id: Id | None = None
    contact_id: Annotated[Id | None, Field(validate_default=True), AfterValidator(_one_of_both)] = None


class NewMessage(Wire):
    """`POST /v1/messages` (B-138, B-139, B-145); `subject` is of e-mail."""

    contact_id: Id
    body: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_not_blank)]
    channel: Channel = "sms"
    subject: Name | None = None


class ListedCampaign(TypedDict):
    id: UUID
    name: str
    type: str
    status: str


class CampaignList(TypedDict):
    """Without `success`, as the document has it (B-095)."""

    campaigns: list[ListedCampaign]


class CampaignBody(ListedCampaign):
    channel: str
    category: str
    subject: str | None
    body: str
    offsets: list[str]
    send_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CampaignAnswer(TypedDict):
    success: bool
    campaign: CampaignBody


class Enrolled(TypedDict):
    """Whether the contact is in the campaign now, and why not (B-132, B-134)."""

    enrollment_id: UUID | None
    status: Literal["enrolled", "already_enrolled", "skipped"]
    reason: NotRequired[str]


class MessageQueued(TypedDict):
    """What was queued; `parts` are the segments that count (B-140)."""

    success: bool
    message_id: UUID
    status: str
    contact_id: UUID | None
    parts: int
    channel: str


class MessageBody(TypedDict):
    id: UUID
    status: Literal["queued", "sent", "failed", "uncertain"]
    channel: str
    contact_id: UUID | None
    parts: int
    body: str | None
    attempts: int
    sent_at: datetime | None
    reason: str | None
    receipt: Report | None
    receipt_at: datetime | None
    created_at: datetime


class MessageAnswer(TypedDict):
    success: bool
    message: MessageBody
