"""The promise: its status, and what the end of a planned send makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.occurrence import State


class Status(StrEnum):
    """What a caller sees of a reminder (B-060)."""

    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class CancelOutcome(StrEnum):
    """What a cancel or a delete came in time for (B-039)."""

    PREVENTED = "prevented"
    IN_FLIGHT = "in_flight"
    ALREADY_SENT = "already_sent"


class Action(StrEnum):
    """What a history entry records (B-043, B-083, B-084)."""

    CREATED = "Created"
    SENT = "Sent"
    SEND_FAILED = "SendFailed"
    SEND_ERROR = "SendError"
    STATUS_CHANGED = "StatusChanged"
    UPDATED = "Updated"
    SKIPPED = "Skipped"
    EXPIRED = "Expired"
    DELIVERED = "Delivered"
    UNDELIVERED = "Undelivered"
    READ = "Read"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    at: datetime
    action: Action
    detail: str
    status: Status


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a reminder stands, as far as decisions need it."""

    id: UUID
    account_id: UUID
    external_id: str | None
    channel: str
    status: Status
    sequence: int
    last_send_at: datetime | None
    last_attempts: int
    sent_elsewhere: int
    """Its other occurrences that were sent."""
    unfinished_elsewhere: int
    """Its other occurrences that have not ended."""


def status_after(progress: Progress, ended_as: State) -> Status:
    """The reminder's status once one of its occurrences ended as `ended_as`.

    At least one sent is `completed`, none is `expired` (B-059). A status that a caller set stays, but a late
    answer that proves an expired reminder's send makes it completed.
    """
    sent = ended_as is State.SENT or progress.sent_elsewhere > 0
    match progress.status:
        case Status.ACTIVE if progress.unfinished_elsewhere == 0:
            return Status.COMPLETED if sent else Status.EXPIRED
        case Status.EXPIRED if ended_as is State.SENT:
            return Status.COMPLETED
        case _:
            return progress.status


def cancel_outcome(*, sending: int, stopped: int, sent: int) -> CancelOutcome:
    """What a cancel comes in time for, from the counts of the reminder's occurrences in each state."""
    if sending:
        return CancelOutcome.IN_FLIGHT
    if stopped or not sent:
        return CancelOutcome.PREVENTED
    return CancelOutcome.ALREADY_SENT
