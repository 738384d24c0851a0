"""The bodies and queries of configurations and templates."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from services.api.dialects.items.fields import AgentId, Digits, Line, Segment, Text, WebhookUrl, Zone
from services.api.parse import EXACT, PARTIAL, CamelWire
from services.api.shown import Shown
from shared.domain.account import CatchUp, LateBooking, OnUnknown
from shared.domain.recipient import Channel
from shared.domain.schedule import Gap, Overlap
from shared.domain.template import BadBody, check_body

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def _language(text: str) -> str:
    if _LANGUAGE.fullmatch(text) is None:
        raise ValueError("a language code, such as id or en_US")
    return text


def _template_text(body: str) -> str:
    try:
        check_body(body)
    except BadBody as error:
        raise ValueError(str(error)) from None
    return body


TemplateText = Annotated[Text, AfterValidator(_template_text), Shown("See you at {{1}}.", "template-text")]
Language = Annotated[str, AfterValidator(_language), Shown("en_US", schema=(("pattern", f"^{_LANGUAGE.pattern}$"),))]

KeyType = Literal["primary", "secondary"]
ServerState = Literal["running", "paused"]

MOST_GRACE: Final = timedelta(days=366)


class IntegrationSettings(CamelWire):
    """An empty `webhookUrl` switches the webhook off (C-3)."""

    webhook_url: WebhookUrl | None = None


class NewConfiguration(CamelWire):
    """`POST /api/reminder/configuration`."""

    agent_id: AgentId
    configuration_id: Segment | None = None
    name: Line | None = None
    channel: Channel = Channel.SMS
    timezone: Zone = "UTC"
    grace_seconds: Annotated[int, Field(ge=1, le=int(MOST_GRACE.total_seconds()))] | None = None
    catch_up: CatchUp | None = None
    on_unknown: OnUnknown | None = None
    dst_gap: Gap = Gap.FORWARD
    dst_overlap: Overlap = Overlap.FIRST
    late_booking: LateBooking = LateBooking.SKIP
    server_state: ServerState = "running"
    integration_settings: IntegrationSettings | None = None


class ConfigurationUpdate(CamelWire):
    """`PUT /api/reminder/configuration`: what is left out stays; null clears an override."""

    model_config = PARTIAL

    agent_id: Segment
    configuration_id: Segment
    name: Line = ""
    channel: Channel = Channel.SMS
    timezone: Zone = "UTC"
    grace_seconds: Annotated[int, Field(ge=1, le=int(MOST_GRACE.total_seconds()))] | None = None
    catch_up: CatchUp | None = None
    on_unknown: OnUnknown | None = None
    dst_gap: Gap = Gap.FORWARD
    dst_overlap: Overlap = Overlap.FIRST
    late_booking: LateBooking = LateBooking.SKIP
    server_state: ServerState = "running"
    integration_settings: IntegrationSettings | None = None


class RefreshQuery(CamelWire):
    """`POST …/refresh-keys`: both keys where no type is named."""

    model_config = EXACT

    key_type: KeyType | None = None
    grace_seconds: Digits = "0"


class RefreshBody(CamelWire):
    """The same in a body, where the query does not say it."""

    model_config = EXACT

    key_type: KeyType | None = None
    grace_seconds: Annotated[int, Field(ge=0)] = 0


class TemplateChange(CamelWire):
    """`PUT …/templates/{name}`: what is left out stays; null clears what may be empty."""

    model_config = PARTIAL

    channel: Channel = Channel.SMS
    language: Language | None = None
    subject: Line | None = None
    body: TemplateText = ""
    provider_name: Line | None = None


class NewTemplate(CamelWire):
    """`POST …/templates`."""

    name: Segment
    channel: Channel | None = None
    language: Language | None = None
    subject: Line | None = None
    body: TemplateText
    provider_name: Line | None = None
