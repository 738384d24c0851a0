"""What a provider reports of a message after its answer: how far it came, in whatever order the reports arrive.

The source is `reliability.md` V-09: signed reports, repeated, late, early and in any order, never take anything back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.domain.occurrence import State


class Report(StrEnum):
    """How far a message came, from the least to the most."""

    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    READ = "read"

    @property
    def rank(self) -> int:
        return _ORDER.index(self)


_ORDER: Final = tuple(Report)

_FAILURES: Final = frozenset({Report.FAILED, Report.UNDELIVERED})

_DOUBTFUL: Final = frozenset({State.SCHEDULED, State.QUEUED, State.SENDING, State.UNCERTAIN})
"""Where even the news that a message failed on its way proves that its provider had taken it."""


def reference(occurrence_id: UUID, attempt_id: UUID) -> str:
    """What goes out with a message, and comes back with every report of it."""
    return f"{attempt_id}.{occurrence_id}"


def read_reference(text: str | None) -> tuple[UUID | None, UUID | None]:
    """(occurrence, attempt) of a reference; None for what it does not name. Older ones name the attempt alone."""
    attempt, _, occurrence = (text or "").partition(".")
    return read_uuid(occurrence), read_uuid(attempt)


def read_uuid(text: str | None) -> UUID | None:
    """A UUID in its usual spelling."""
    try:
        return UUID(text) if text is not None and len(text) == 36 else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report, as every provider's translator makes it."""

    provider: str
    message_id: str
    """The provider's own."""
    attempt_id: UUID | None
    """The reference that went out with the message; a report without one is nobody's."""
    occurrence_id: UUID | None
    """The same of older messages is missing: they are found by their attempt."""
    report: Report
    code: str | None = None
    """The provider's own code of a failure."""
    at: datetime | None = None
    """When it says that this happened, where it says so."""
    opted_out: bool = False
    """The provider says that this person asked to be sent nothing more."""


@dataclass(frozen=True, slots=True)
class News:
    """What one receipt changes."""

    proves_sent: bool
    """The provider has the message, which is not known yet."""
    report: Report | None
    """What is known from now on, or None where it was known."""
    told: tuple[Report, ...]
    """What is to be told for the first time: of `undelivered`, `delivered` and `read`."""

    @property
    def nothing(self) -> bool:
        return not self.proves_sent and self.report is None


def news(known: Report | None, state: State, reported: Report) -> News:
    """What `reported` adds to what was `known` of the occurrence's present attempt.

    The furthest report stands, so that their order and repeats do not matter: a message that was delivered stays
    delivered, and one that failed on its way does so unless it turns out that it arrived. One that was read was
    delivered.
    """
    further = known is None or reported.rank > known.rank
    proves = state is not State.SENT and (reported not in _FAILURES or state in _DOUBTFUL)
    if not further or not (proves or state is State.SENT):
        return News(proves_sent=proves, report=None, told=())
    return News(proves_sent=proves, report=reported, told=_told(known, reported))


def _told(known: Report | None, reported: Report) -> tuple[Report, ...]:
    if reported in _FAILURES:
        return () if known in _FAILURES else (Report.UNDELIVERED,)
    return tuple(
        step
        for step in (Report.DELIVERED, Report.READ)
        if step.rank <= reported.rank and (known is None or step.rank > known.rank)
    )
