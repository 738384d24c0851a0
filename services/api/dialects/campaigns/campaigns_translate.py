"""Campaigns, enrolments and messages ⇄ the wire, purely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from services.api.core.enrollment import Enrollment
from services.api.core.messages import Message, parts_of
from services.api.dialects.campaigns.campaigns_wire import (
    CampaignBody,
    CampaignChange,
    Enrolled,
    ListedCampaign,
    MessageBody,
    MessageQueued,
    NewCampaign,
)
from shared.domain.campaign import Campaign, CampaignStatus, CampaignType
from shared.domain.draft import Category
from shared.domain.occurrence import State
from shared.domain.recipient import Channel
from shared.domain.schedule import Duration, instant, zone

_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "type": CampaignType,
        "status": CampaignStatus,
        "channel": Channel,
        "category": Category,
        "offsets": lambda texts: tuple(map(Duration.parse, texts)),
    }
)

_STATUS: Final[Mapping[State, Literal["queued", "sent", "failed", "uncertain"]]] = MappingProxyType(
    {
        State.SCHEDULED: "queued",
        State.QUEUED: "queued",
        State.SENDING: "queued",
        State.SENT: "sent",
        State.UNCERTAIN: "uncertain",
        State.SKIPPED: "failed",
        State.EXPIRED: "failed",
        State.CANCELLED: "failed",
    }
)


def given(body: NewCampaign | CampaignChange, time_zone: str) -> dict[str, Any]:
    """A campaign's fields as the core has them: all of a new one, of a change those that were written.

    A `send_at` without an offset is read in `time_zone`, the account's.
    """
    names = body.model_fields_set if isinstance(body, CampaignChange) else type(body).model_fields
    fields = {name: _FIELDS.get(name, lambda value: value)(getattr(body, name)) for name in names}
    if fields.get("send_at") is not None:
        fields["send_at"] = instant(fields["send_at"], zone(time_zone))
    return fields


def to_listed(campaign: Campaign) -> ListedCampaign:
    return {"id": campaign.id, "name": campaign.name, "type": campaign.type.value, "status": campaign.status.value}


def to_campaign(campaign: Campaign) -> CampaignBody:
    return {
        **to_listed(campaign),
        "channel": campaign.channel.value,
        "category": campaign.category.value,
        "subject": campaign.subject,
        "body": campaign.body,
        "offsets": [offset.text for offset in campaign.offsets],
        "send_at": campaign.send_at,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
    }


def to_enrolled(enrollment: Enrollment) -> Enrolled:
    """`reason` stands only where it was skipped."""
    answer: Enrolled = {"enrollment_id": enrollment.id, "status": enrollment.status.value}
    return {**answer, "reason": enrollment.reason} if enrollment.reason else answer


def to_queued(message: Message) -> MessageQueued:
    return {
        "success": True,
        "message_id": message.id,
        "status": "queued",
        "contact_id": message.contact_id,
        "parts": parts_of(message),
        "channel": message.channel.value,
    }


def to_message(message: Message) -> MessageBody:
    return {
        "id": message.id,
        "status": _STATUS[message.state],
        "channel": message.channel.value,
        "contact_id": message.contact_id,
        "parts": parts_of(message),
        "body": message.body,
        "attempts": message.attempts,
        "sent_at": message.sent_at,
        "reason": message.reason,
        "receipt": message.receipt,
        "receipt_at": message.receipt_at,
        "created_at": message.created_at,
    }
