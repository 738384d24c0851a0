"""The bodies of both doors' answers, exactly as they are on the wire."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from shared.domain.account import CatchUp, LateBooking, OnUnknown
from shared.domain.recipient import Channel
from shared.domain.reminder import Action, CancelOutcome, Status
from shared.domain.schedule import Gap, Overlap

UtcText = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""`2025-05-29T01:00:00Z`."""


class Entry(TypedDict):
    """One line of the history, the oldest first."""

    date: UtcText
    action: Action
    detail: str
    status: Status


class Item(TypedDict):
    """The documented fields, then ours (B-044, B-059)."""

    id: str | None
    countryCode: str | None
    phoneNumber: str | None
    recipientName: str | None
    notificationTemplateName: str | None
    templateParameters: tuple[str, ...]
    sendTimes: tuple[str, ...]
    timezone: str
    status: Status
    nextSendTime: UtcText | None
    lastSendTime: UtcText | None
    lastAttempts: int
    history: list[Entry]
    deliveredCount: int
    skippedCount: int
    cancelOutcome: NotRequired[CancelOutcome]


class Items(TypedDict):
    """A page of items; `total` counts all that match."""

    items: list[Item]
    total: int
    pageSize: int
    skip: int


class Done(TypedDict):
    """What a bulk action did to one reminder."""

    result: Literal["ok", "deleted"]
    status: NotRequired[Status]
    nextSendTime: NotRequired[UtcText | None]
    cancelOutcome: NotRequired[CancelOutcome]


class BulkDone(Done):
    id: str


class BulkError(TypedDict):
    code: str
    message: str


class BulkRefused(TypedDict):
    """This one was refused, and the others were not touched by that."""

    id: str
    error: BulkError


class BulkResult(TypedDict):
    """In the order of the request."""

    action: Literal["cancel", "activate", "complete", "delete", "reschedule"]
    dryRun: bool
    total: int
    succeeded: int
    failed: int
    results: list[BulkDone | BulkRefused]


class IntegrationSettingsBody(TypedDict):
    """The webhook's URL, or an empty text."""

    webhookUrl: str


class ConfigurationBody(TypedDict):
    """Without its keys; `webhookSecret` is shown once, where it is new (C-3)."""

    agentId: str
    configurationId: str
    name: str
    channel: Channel
    serverState: Literal["running", "paused"]
    timezone: str
    graceSeconds: int | None
    catchUp: CatchUp | None
    onUnknown: OnUnknown | None
    dstGap: Gap
    dstOverlap: Overlap
    lateBooking: LateBooking
    integrationSettings: IntegrationSettingsBody
    createdAt: UtcText
    updatedAt: UtcText
    webhookSecret: NotRequired[str]


class NewConfigurationBody(ConfigurationBody):
    """With both keys, shown this once."""

    primaryKey: str
    secondaryKey: str


class Configurations(TypedDict):
    items: list[ConfigurationBody]


class FreshKeys(TypedDict):
    """The new keys, shown this once; one that was not refreshed is left out."""

    agentId: str
    configurationId: str
    primaryKey: NotRequired[str]
    secondaryKey: NotRequired[str]


class Numbers(TypedDict):
    """`pending` are active and have a send that is due and not made; `recent` came in the last seven days."""

    total: int
    active: int
    pending: int
    completed: int
    expired: int
    cancelled: int
    recent: int


class TemplateBody(TypedDict):
    """`parameterCount` is what its reminders must give (B-021, B-051)."""

    name: str
    channel: Channel
    language: str | None
    subject: str | None
    body: str
    providerName: str | None
    parameterCount: int
    createdAt: UtcText
    updatedAt: UtcText


class Templates(TypedDict):
    items: list[TemplateBody]
