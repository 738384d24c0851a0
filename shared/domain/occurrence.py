"""One planned send: its states, and what each outcome makes of it. The chart is in `docs/lifecycle.md`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never
from uuid import UUID

from shared.domain import backoff
from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown

MAX_FAILURES: Final = 5
"""Failed attempts at one send time after which it is skipped (B-056)."""

PAUSE: Final = timedelta(seconds=30)
"""How long a provider rests for an account after it refused our credentials."""

MISFIRE: Final = timedelta(minutes=1)
"""Lateness from which `catch_up = none` calls a send missed."""


class State(StrEnum):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNFINISHED: Final = frozenset({State.SCHEDULED, State.QUEUED, State.SENDING})


class Kind(StrEnum):
    MAIN = "main"
    FOLLOW_UP = "follow_up"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One planned send of one reminder, as far as decisions need it."""

    id: UUID
    reminder_id: UUID
    seq: int
    kind: Kind
    scheduled_for: datetime
    state: State
    attempt: int
    """Provider calls so far."""
    failures: int
    """Definite failures and unknown answers; at most five."""
    key_epoch: int
    takes_key: bool
    """Whether the provider of the present attempt honours a key."""
    until: datetime | None = None
    """From then on it says nothing any more, however much grace is left: a reminder of an event that has begun."""

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier call under the present key may have been taken: a definite failure raises the epoch,
        so without a doubt there were as many of them as earlier calls. Another address raises it to that, too."""
        return self.key_epoch < self.attempt - 1


@dataclass(frozen=True, slots=True)
class Step:
    """What an occurrence becomes: another try (`due_at`) or an end."""

    state: State
    due_at: datetime | None = None
    failures: int = 0
    key_epoch: int = 0
    reason: str | None = None
    provider_message_id: str | None = None

    @property
    def ended(self) -> bool:
        return self.state not in UNFINISHED


def idempotency_key(occurrence_id: UUID, key_epoch: int) -> str:
    """The same for every call from an ambiguous attempt on; another after a definite failure that leaves no doubt."""
    return f"{occurrence_id}:{key_epoch}"


def after(
    occurrence: Occurrence,
    outcome: Outcome,
    *,
    now: datetime,
    policy: Policy,
    next_send_at: datetime | None,
    random: float,
) -> Step:
    """The step that `outcome` makes of an occurrence that is `sending`, or was parked as `uncertain`.

    `next_send_at` is the reminder's next planned time: a retry that would reach it skips at once.
    """
    match outcome:
        case Accepted(provider_message_id=message_id):
            return Step(
                State.SENT, failures=occurrence.failures, key_epoch=occurrence.key_epoch, provider_message_id=message_id
            )
        case Rejected(reason=reason):
            return _end(occurrence, State.SKIPPED, reason)
        case Failed():
            return _retry(occurrence, outcome, now=now, next_send_at=next_send_at, random=random)
        case Unknown(reason=reason):
            if not occurrence.takes_key and policy.on_unknown is OnUnknown.PARK:
                return _end(occurrence, State.UNCERTAIN, reason, failures=_one_more(occurrence))
            again = Failed(reason, ambiguous=occurrence.takes_key)
            return _retry(occurrence, again, now=now, next_send_at=next_send_at, random=random)
        case Unavailable(reason=reason):
            later = Failed(reason, retry_after=PAUSE, counts=False)
            return _retry(occurrence, later, now=now, next_send_at=None, random=random)
        case _:
            assert_never(outcome)


def after_lost_worker(occurrence: Occurrence, *, now: datetime, policy: Policy) -> Step:
    """The step of an occurrence whose worker died while sending: it never uses up a failure."""
    reason = "the worker was lost while sending"
    if not occurrence.takes_key and policy.on_unknown is OnUnknown.PARK:
        return _end(occurrence, State.UNCERTAIN, reason)
    return Step(
        State.SCHEDULED, due_at=now, failures=occurrence.failures, key_epoch=occurrence.key_epoch, reason=reason
    )


def unsendable(
    occurrence: Occurrence, *, now: datetime, policy: Policy, later_is_due: bool, barred: str | None = None
) -> Step | None:
    """The end of a send that may not be made or comes too late, or None where it is to be made (B-061, B-264, B-267).

    `later_is_due`: a later send time of the same reminder has come as well. `barred`: why its recipient may not be
    written to.
    """
    if barred is not None:
        return _end(occurrence, State.SKIPPED, barred)
    if occurrence.until is not None and occurrence.until <= now:
        return _end(occurrence, State.SKIPPED, "its event has begun")
    lateness = now - occurrence.scheduled_for
    if lateness > policy.grace:
        return _end(occurrence, State.EXPIRED, "older than the grace")
    if policy.catch_up is CatchUp.LATEST and later_is_due:
        return _end(occurrence, State.SKIPPED, "a later send time has come")
    if policy.catch_up is CatchUp.NONE and lateness > MISFIRE and occurrence.attempt == 0:
        return _end(occurrence, State.SKIPPED, "missed, and catching up is off")
    return None


def _one_more(occurrence: Occurrence) -> int:
    return min(occurrence.failures + 1, MAX_FAILURES)


def _end(occurrence: Occurrence, state: State, reason: str, *, failures: int | None = None) -> Step:
    return Step(
        state,
        failures=occurrence.failures if failures is None else failures,
        key_epoch=occurrence.key_epoch,
        reason=reason,
    )


def _retry(
    occurrence: Occurrence, failed: Failed, *, now: datetime, next_send_at: datetime | None, random: float
) -> Step:
    failures = _one_more(occurrence) if failed.counts else occurrence.failures
    if failed.counts and failures >= MAX_FAILURES:
        return _end(occurrence, State.SKIPPED, f"{MAX_FAILURES} failed attempts: {failed.reason}", failures=failures)
    wait = backoff.delay(max(failures, 1), backoff.SEND, random=random)
    due_at = now + max(wait, failed.retry_after or timedelta(0))
    if occurrence.until is not None and due_at >= occurrence.until:
        return _end(occurrence, State.SKIPPED, f"no retry before its event: {failed.reason}", failures=failures)
    if next_send_at is not None and due_at >= next_send_at:
        return _end(
            occurrence, State.SKIPPED, f"no retry before the next send time: {failed.reason}", failures=failures
        )
    # A definite failure now says nothing about a call before it: only the same key makes that one harmless.
    same_key = failed.ambiguous or occurrence.in_doubt
    key_epoch = occurrence.key_epoch if same_key else max(occurrence.key_epoch, occurrence.attempt)
    return Step(State.SCHEDULED, due_at=due_at, failures=failures, key_epoch=key_epoch, reason=failed.reason)
