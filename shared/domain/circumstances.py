"""All that decides whether and when a reminder's next send goes out, as it is at one moment. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.draft import Reminder
from shared.domain.occurrence import Kind, State
from shared.domain.reminder import HistoryEntry

T = TypeVar("T")


class Source(StrEnum):
    """Where a setting comes from: the first of these that has it."""

    REMINDER = "reminder"
    CONFIGURATION = "configuration"
    ACCOUNT = "account"
    ENVIRONMENT = "environment"
    SCHEDULE = "schedule"
    """The rule of the schedule's own kind."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    value: T
    source: Source


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one level; None is what it leaves to the next."""

    source: Source
    grace: timedelta | None
    catch_up: CatchUp | None
    on_unknown: OnUnknown | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for one reminder, and why."""

    grace: Setting[timedelta]
    catch_up: Setting[CatchUp]
    on_unknown: Setting[OnUnknown]
    policy: Policy
    """The same as rules take it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider call, as it is kept."""

    number: int
    provider: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    reason: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Send:
    """One planned send with what became of it."""

    id: UUID
    reminder_id: UUID
    seq: int
    kind: Kind
    scheduled_for: datetime
    due_at: datetime
    state: State
    attempt: int
    """Provider calls so far."""
    failures: int
    lease_until: datetime | None
    started_at: datetime | None
    """Of the newest provider call."""
    provider: str | None
    provider_message_id: str | None
    reason: str | None
    ended_at: datetime | None
    receipt: str | None = None
    """The furthest that its provider has reported since."""
    receipt_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    """The newest calls, oldest first."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The opt-out of an address."""

    since: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a contact said of marketing, as far as it is known."""

    granted: bool
    source: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignState:
    id: UUID
    name: str
    status: str
    stale: bool
    """Its planned sends do not fit it any more."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A provider that rests because it refused our credentials."""

    provider: str
    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Circumstances:
    now: datetime
    reminder: Reminder
    planned_with: str
    """The release of time-zone rules that its sends were computed with."""
    settings: Settings
    running: bool
    """Its configuration."""
    agent_id: str
    configuration_id: str
    suppressed: Suppressed | None
    agreement: Agreement | None
    """None where it has no contact."""
    campaign: CampaignState | None
    pause: Pause | None
    counts: Mapping[State, int]
    next: Send | None
    """Its first unfinished send."""
    later_is_due: bool
    """A later time of it has come as well."""
    last: Send | None
    """The newest that ended, those aside that another took the place of."""
    last_change: HistoryEntry | None
    """The newest change of its status by a caller."""


def settle_settings(layers: tuple[Layer, ...], fallback: Policy, reminder: Reminder) -> Settings:
    """What holds: the first of `layers` that says something, or else the deployment's `fallback` (decision 1)."""
    environment = Layer(Source.ENVIRONMENT, fallback.grace, fallback.catch_up, fallback.on_unknown)
    own = CatchUp.LATEST if reminder.schedule_json.get("kind") == "every" else CatchUp.ALL
    last = Layer(Source.SCHEDULE, timedelta(hours=1), own, OnUnknown.PARK)
    levels = (*layers, environment, last)
    catch_up = next(Setting(one.catch_up, one.source) for one in levels if one.catch_up is not None)
    grace = next(Setting(one.grace, one.source) for one in levels if one.grace is not None)
    on_unknown = next(Setting(one.on_unknown, one.source) for one in levels if one.on_unknown is not None)
    ruled = None if catch_up.source is Source.SCHEDULE else catch_up.value
    return Settings(grace, catch_up, on_unknown, Policy(grace.value, ruled, on_unknown.value))
