"""What becomes of a parked send once a person, its provider or a report of its provider says what it was.

Decision 2 of the design notes: resolving a parked send changes that send and its history alone; it is tried again
only if it is proved unsent, inside the grace and before the reminder's next send time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.occurrence import State, Step
from shared.domain.outcome import Accepted, Failed
from shared.domain.reminder import Action, HistoryEntry
from shared.domain.settlement import Case, Settlement, settle_attempt, settle_closed

CLOSED: Final = "closed by hand: nobody knows whether it was sent"
UNSENT: Final = "resolved by hand: it was not sent"


class Verdict(StrEnum):
    """What a person says of a parked send."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    CLOSED = "closed"


def settle_by_hand(case: Case, verdict: Verdict, *, message_id: str | None, now: datetime, random: float) -> Settlement:
    """What `verdict` makes of a send that is parked. It never counts as one of the five failures."""
    match verdict:
        case Verdict.SENT:
            return settle_proved(case, message_id, "Resolved by hand: the message was sent", now=now)
        case Verdict.NOT_SENT:
            return settle_attempt(case, Failed(UNSENT, counts=False), now=now, random=random)
        case Verdict.CLOSED:
            failures, key_epoch = case.occurrence.failures, case.occurrence.key_epoch
            step = Step(State.SKIPPED, failures=failures, key_epoch=key_epoch, reason=CLOSED)
            return settle_closed(case, step, now=now)


def settle_proved(case: Case, message_id: str | None, detail: str, *, now: datetime) -> Settlement:
    """What the proof that a provider took the message makes of its send; `detail` is for history."""
    settled = settle_attempt(case, Accepted(message_id), now=now, random=0.0)
    return replace(settled, history=tuple(_saying(entry, detail) for entry in settled.history))


def _saying(entry: HistoryEntry, detail: str) -> HistoryEntry:
    return replace(entry, detail=detail) if entry.action is Action.SENT else entry
