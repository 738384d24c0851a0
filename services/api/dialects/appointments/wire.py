"""The bodies, queries and answers of `/events`, exactly as they are on the wire."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from services.api.dialects.appointments.fields import (
    Digits,
    Line,
    LookedFor,
    Metadata,
    Moment,
    Offset,
    OptionalLine,
    PhoneNumber,
    Text,
    Zone,
)
from services.api.parse import PARTIAL, CamelWire
from shared.domain.booking import DEFAULT_REMINDER, MessageType
from shared.domain.metadata import Scalar
from shared.domain.reminder import CancelOutcome, Status


class EventType(CamelWire):
    """An appointment type, named by its id; any text, since an unknown one is no mistake of form (B-218)."""

    uuid: Line


class NewAppointment(CamelWire):
    """`POST /events/reminders`; a `uuid` in it is ignored (B-210)."""

    external_event_id: OptionalLine = None
    phone: PhoneNumber
    first_name: OptionalLine = None
    last_name: OptionalLine = None
    email_address: OptionalLine = None
    event_type: EventType
    remind_time_offset: Offset | None = None
    follow_up_time_offset: Offset | None = None
    event_date_time: Moment
    subscriber_time_zone: Zone
    send_eligible_subscribers_only: bool | None = None
    metadata: Metadata | None = None


class AppointmentChange(CamelWire):
    """`PUT /events/reminders/{uuid}`: what is left out stays; null clears what need not be there (B-235)."""

    model_config = PARTIAL

    external_event_id: OptionalLine = None
    phone: PhoneNumber = ""
    first_name: OptionalLine = None
    last_name: OptionalLine = None
    email_address: OptionalLine = None
    event_type: EventType = EventType(uuid="-")
    remind_time_offset: Offset = DEFAULT_REMINDER
    follow_up_time_offset: Offset | None = None
    event_date_time: Moment = ""
    subscriber_time_zone: Zone = "UTC"
    metadata: Metadata | None = None

    @property
    def given(self) -> frozenset[str]:
        """The fields that the caller wrote."""
        return frozenset(self.model_fields_set)


class _Query(CamelWire):
    model_config = ConfigDict(strict=False, alias_generator=to_camel)

    limit: Digits = "50"
    offset: Digits = "0"


class AppointmentQuery(_Query):
    """`GET /events/reminders`."""

    external_event_id: OptionalLine = None
    phone: LookedFor | None = None


class TypeQuery(_Query):
    """`GET /events/types`."""


class MessageQuery(CamelWire):
    """`GET /events/types/messages`: of one type, or of all."""

    event_type: Line | None = None


class NewType(CamelWire):
    """`POST /events/types`."""

    type: Line


class NewMessage(CamelWire):
    """`POST /events/types/messages`."""

    event_type: EventType
    message_type: MessageType = Field(strict=False)
    text: Text


class EventTypeTold(TypedDict):
    uuid: str


class AppointmentTold(TypedDict):
    """Optional fields are there where they were given (B-211)."""

    uuid: str
    externalEventId: NotRequired[str]
    phone: str
    firstName: NotRequired[str]
    lastName: NotRequired[str]
    eventType: EventTypeTold
    emailAddress: NotRequired[str]
    remindTimeOffset: str
    followUpTimeOffset: NotRequired[str]
    eventDateTime: str
    subscriberTimeZone: str
    metadata: NotRequired[dict[str, Scalar]]
    status: Status


class CreatedTold(AppointmentTold):
    """The only answer that shows the flag (B-237)."""

    sendEligibleSubscribersOnly: NotRequired[bool]


class CancelledTold(AppointmentTold):
    cancelOutcome: CancelOutcome


class AppointmentsTold(TypedDict):
    reminders: list[AppointmentTold]
    total: int
    limit: int
    offset: int


class TypeTold(TypedDict):
    uuid: str
    type: str


class TypesTold(TypedDict):
    types: list[TypeTold]
    total: int
    limit: int
    offset: int


class MessageTold(TypedDict):
    """`macros` are the names that metadata must give values for (C-22)."""

    eventType: EventTypeTold
    messageType: MessageType
    text: str
    macros: list[str]


class MessagesTold(TypedDict):
    messages: list[MessageTold]
