"""The queries and answers of reminders as their account sees them, exactly as they are on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from typing_extensions import TypedDict

from services.api.dialects.campaigns.contacts_wire import check_phone, checked_email, with_plus
from services.api.dialects.campaigns.wire import read_id
from services.api.parse import Wire

_LARGEST: Final = 2**63 - 1

Door = Literal["integration", "items", "campaigns", "crm", "appointments"]
StatusName = Literal["active", "completed", "expired", "cancelled"]


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("must be a whole number of at most 9 digits")
    return text


def _positive(text: str) -> str:
    if int(_digits(text)) < 1:
        raise ValueError("must be 1 or more")
    return text


def _number(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LARGEST):
        raise ValueError("must be a whole number")
    return text


def _uuid(text: str) -> str:
    if read_id(text) is None:
        raise ValueError("must be a UUID")
    return text


_COUNT: Final = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
Positive = Annotated[str, AfterValidator(_positive), WithJsonSchema({**_COUNT, "minimum": 1})]
Count = Annotated[str, AfterValidator(_digits), WithJsonSchema(_COUNT)]
Number = Annotated[str, AfterValidator(_number), WithJsonSchema({**_COUNT, "maximum": _LARGEST})]
Uuid = Annotated[str, AfterValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
E164: Final = {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+447912345678"]}
EMAIL: Final = {"type": "string", "format": "email"}


class LifeQuery(Wire):
    """`GET /v1/reminders`: all that are given must fit; a limit above the most is the most."""

    external_id: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """The caller's own id of a reminder, an item or an event."""
    door: Door | None = None
    number: Number | None = None
    """The integer id of a reminder."""
    contact_id: Uuid | None = None
    """The contact's reminders, and all others to its phone and its e-mail."""
    phone: Annotated[str, AfterValidator(with_plus), AfterValidator(check_phone), WithJsonSchema(E164)] | None = None
    email: Annotated[str, AfterValidator(checked_email), WithJsonSchema(EMAIL)] | None = None
    status: StatusName | None = None
    limit: Positive = "20"
    offset: Count = "0"
    occurrences_limit: Positive = "10"
    """How many planned sends are told of each reminder: those whose times are nearest to now."""

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if sum(given is not None for given in (self.contact_id, self.phone, self.email)) > 1:
            raise ValueError("give one of contact_id, phone and email")
        return self


class ExplainQuery(Wire):
    """`GET /v1/reminders/{id}/explain`: which of its planned sends are listed; a limit above the most is the most."""

    occurrences_limit: Positive = "50"
    occurrences_offset: Count = "0"


class SaidBody(TypedDict):
    """A stable word for a program, and a sentence for a person."""

    code: str
    sentence: str


class CheckBody(TypedDict):
    code: str
    passed: bool
    sentence: str
    until: datetime | None


class AttemptBody(TypedDict):
    """One provider call."""

    number: int
    provider: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    reason: str | None
    code: str | None


class IntentBody(TypedDict):
    """What an instant follows from."""

    written: str
    clock: Literal["offset", "plain", "gap", "overlap"]
    sentence: str


class OccurrenceBody(TypedDict):
    """One planned send."""

    id: UUID
    seq: int
    kind: Literal["main", "follow_up", "no_show"]
    state: str
    scheduled_for: datetime
    local_time: str
    utc_offset: str
    due_at: datetime | None
    ended_at: datetime | None
    lateness_seconds: float | None
    ending: SaidBody | None
    provider: str | None
    provider_message_id: str | None
    receipt: str | None
    receipt_at: datetime | None
    lease_until: datetime | None
    calls: int
    failures: int
    attempts: list[AttemptBody]


class PlannedBody(OccurrenceBody):
    intent: IntentBody | None


class ReminderBody(TypedDict):
    id: UUID
    door: Door
    external_id: str | None
    number: int
    status: StatusName
    channel: str
    address: str
    category: str
    contact_id: UUID | None
    time_zone: str
    created_at: datetime
    updated_at: datetime
    next_send_at: datetime | None
    verdict: SaidBody
    counts: dict[str, int]


class LifeBody(ReminderBody):
    occurrences: list[OccurrenceBody]


class LivesAnswer(TypedDict):
    success: bool
    reminders: list[LifeBody]
    total: int
    limit: int
    offset: int


class DstBody(TypedDict):
    gap: Literal["forward", "before"]
    overlap: Literal["first", "second"]


class ClockBody(TypedDict):
    """By which rules its times are read; with `planned_with` its instants were computed."""

    time_zone: str
    dst: DstBody
    planned_with: str
    rules: str


class DurationSetting(TypedDict):
    seconds: float
    source: str


class WordSetting(TypedDict):
    value: str
    source: str


class SettingsBody(TypedDict):
    grace: DurationSetting
    catch_up: WordSetting
    on_unknown: WordSetting


class ExplanationBody(TypedDict):
    verdict: SaidBody
    at: datetime | None
    cause: SaidBody | None
    expires_at: datetime | None
    checks: list[CheckBody]
    next_send: PlannedBody | None
    schedule: SaidBody
    clock: ClockBody
    settings: SettingsBody


class ExplainAnswer(TypedDict):
    success: bool
    now: datetime
    reminder: ReminderBody
    explanation: ExplanationBody
    occurrences: list[PlannedBody]
    total: int
    limit: int
    offset: int
