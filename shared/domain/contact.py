"""A person whom an account may remind: who it is, what is due, and how a due date moves on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class IntervalUnit(StrEnum):
    """After what a recurrent contact is due again (B-112)."""

    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"


class Precision(StrEnum):
    """How well a birthdate is known; only an exact one makes a birthday reminder (B-174)."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Interval:
    value: int
    """1 to 999."""
    unit: IntervalUnit


@dataclass(frozen=True, slots=True)
class Due:
    """A date, or a date and time, that a caller gave: kept as it was written, beside its instant (B-105)."""

    text: str
    at: datetime
    """UTC. A date alone is its midnight in UTC."""

    @property
    def is_date(self) -> bool:
        return len(self.text) == len("2026-03-15")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as it is kept."""

    id: UUID
    number: int
    """What S3 calls its id; 0 until it is written."""
    account_id: UUID
    phone: str | None
    """E.164."""
    email: str | None
    """As given; compared without regard to case (B-108)."""
    first_name: str | None
    last_name: str | None
    gender: str | None
    is_partial: bool
    note: str | None
    tags: tuple[str, ...]
    custom_fields: dict[str, Any]
    marketing_consent: bool
    time_zone: str | None
    """None is the account's."""
    next_due: Due | None
    last_service: Due | None
    interval: Interval | None
    """Of a recurrent contact."""
    due_anchor: date | None
    """Where the interval counts from, so that month ends do not drift (B-115)."""
    advance_at: datetime | None
    """When its due date moves on; None unless recurrent."""
    birthdate: date | None
    birthdate_precision: Precision
    sequence: int
    """The number of its newest event."""
    created_at: datetime
    updated_at: datetime

    @property
    def is_recurrent(self) -> bool:
        return self.interval is not None
