"""The bodies and queries of both doors, exactly as they are on the wire."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from services.api.dialects.items.fields import (
    CountryCode,
    Digits,
    ItemId,
    Line,
    Moment,
    OptionalLine,
    Parameters,
    PhoneNumber,
    Segment,
    SendTimes,
    Zone,
)
from services.api.parse import EXACT, PARTIAL, CamelWire
from services.api.problems import items
from services.api.shown import Shown, shown_as, whole_number
from shared.domain.reminder import Status


class NewReminder(CamelWire):
    """`POST /api/reminder/{agentId}/{configurationId}/{reminderId}`. The order of fields is that of the checks."""

    timezone: Zone | None = None
    country_code: CountryCode
    phone_number: PhoneNumber
    recipient_name: OptionalLine = None
    notification_template_name: Line
    template_parameters: Parameters
    send_times: SendTimes


class NewItem(NewReminder):
    """`POST /api/reminder/item/create`: the same, with the caller's id."""

    id: ItemId
    agent_id: Segment | None = None
    configuration_id: Segment | None = None


class StatusChange(CamelWire):
    """`PUT` at the integration door."""

    status: Status
    date: Moment | None = None


class ItemUpdate(CamelWire):
    """`PUT /api/reminder/item/update`: what is left out stays; only `recipientName` can be cleared with null."""

    model_config = PARTIAL

    id: Segment
    agent_id: Segment | None = None
    configuration_id: Segment | None = None
    status: Status = Status.ACTIVE
    date: Moment | None = None
    timezone: Zone = "UTC"
    country_code: CountryCode = ""
    phone_number: PhoneNumber = ""
    recipient_name: OptionalLine = None
    notification_template_name: Line = ""
    template_parameters: Parameters = ()
    send_times: SendTimes = ()

    @property
    def given(self) -> frozenset[str]:
        """The fields that the caller wrote."""
        return frozenset(self.model_fields_set)


class _Query(CamelWire):
    model_config = ConfigDict(strict=False, alias_generator=to_camel)


class Where(_Query):
    """Which configuration, where the account's default is not meant."""

    agent_id: Segment | None = None
    configuration_id: Segment | None = None


class ExactWhere(Where):
    """The same where something is destroyed."""

    model_config = EXACT


class Filters(Where):
    """What a list, or a bulk action, chooses by."""

    status: Status | None = None
    phone_number: Annotated[str, Field(max_length=64), Shown("+62 81234567890", "national-phone")] | None = None
    phone_match: Literal["exact", "contains"] = "exact"
    date_from: Annotated[str, Field(max_length=64), Shown("2026-05-29", "date-or-moment")] | None = None
    date_to: Annotated[str, Field(max_length=64), Shown("2026-05-29", "date-or-moment")] | None = None


class ListQuery(Filters):
    """`GET /api/reminder/item/list`."""

    page_size: Annotated[Digits, whole_number(1, 200)] = "20"
    skip: Digits = "0"


class BulkFilter(Filters):
    """Conditions, at least one: what is mistyped, or left out, must never mean everything."""

    model_config = EXACT

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one condition")
        return self


class Bulk(CamelWire):
    """`POST /api/reminder/item/bulk`: `ids` or `filter`, not both."""

    model_config = EXACT | shown_as(action="cancel", ids=["order-42"])

    action: Literal["cancel", "activate", "complete", "delete", "reschedule"]
    ids: Annotated[tuple[Segment, ...], Field(strict=False), items(least=1, most=1_000)] | None = None
    filter: BulkFilter | None = None
    agent_id: Segment | None = None
    configuration_id: Segment | None = None
    timezone: Zone | None = None
    send_times: SendTimes | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _chooses_once(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give ids or a filter, one of the two")
        if (self.action == "reschedule") != (self.send_times is not None):
            raise ValueError("sendTimes belong to the action reschedule, and to it alone")
        return self
