"""The tenant, its configurations, and the ways to prove either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.domain.recipient import Channel
from shared.domain.schedule import DstRule

DEFAULT_NAME: Final = "default"
"""`agent_id` and `configuration_id` of the configuration that every account is born with."""

RESERVED_AGENT_IDS: Final = frozenset({"configuration", "item", "ai"})
"""Words that follow `/api/reminder/` at other doors; an agent may not be called so."""


class CatchUp(StrEnum):
    """Which of several missed sends, all inside the grace, go out late (B-264)."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


class OnUnknown(StrEnum):
    """What happens to a send whose answer was lost at a provider that takes no key (B-263)."""

    PARK = "park"
    RETRY = "retry"


class LateBooking(StrEnum):
    """What becomes of a reminder whose appointment was booked after it would have been due (B-233)."""

    SKIP = "skip"
    SEND_NOW = "send_now"


class CredentialKind(StrEnum):
    API_KEY = "api_key"
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class Account:
    """The tenant; owns everything."""

    id: UUID
    number: int
    name: str
    owner_email: str | None
    time_zone: str
    reminder_hour: int
    plan: str
    quota: int | None


@dataclass(frozen=True, slots=True)
class Configuration:
    """How one agent's reminders are sent: channel, templates, default zone, overrides."""

    id: UUID
    account_id: UUID
    agent_id: str
    configuration_id: str
    name: str
    channel: Channel
    running: bool
    time_zone: str
    """Reads send times that carry no zone of their own."""
    grace: timedelta | None
    """None falls back to the account, as do `catch_up` and `on_unknown`."""
    catch_up: CatchUp | None
    on_unknown: OnUnknown | None
    dst: DstRule
    """Reads times that a change of the clocks leaves out or repeats (B-027)."""
    late_booking: LateBooking
    created_at: datetime
    updated_at: datetime
    has_templates: bool
    """Whether templates are registered: then a reminder may name no other (B-019)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one reminder, resolved: reminder, then configuration, account, environment."""

    grace: timedelta
    catch_up: CatchUp | None
    """None takes the schedule's own: all for `Times`, latest for `Every`."""
    on_unknown: OnUnknown
