"""When a delivery is tried again, and when an endpoint has failed for long enough to be switched off.

Nothing here is shared with the ladder of messages (`shared.domain.backoff`): they are two promises (B-259).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

GAPS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""Between the eight attempts of a delivery (B-162)."""

MAX_ATTEMPTS: Final = len(GAPS) + 1
JITTER: Final = 0.1
"""A gap is between 90 % and 110 % of its step (B-163)."""

DISABLE_AFTER: Final = timedelta(hours=120)
"""Only failures for so long switch an endpoint off (B-164)."""
DISABLE_AFTER_EXHAUSTED: Final = 20
"""So many exhausted deliveries in a row do so too."""

_THROTTLES: Final = frozenset({429, 502, 503, 504})
"""Answers whose Retry-After is honoured."""

OPERATOR_EVENTS: Final = frozenset({"endpoint.disabled", "delivery.exhausted"})
"""Events about deliveries themselves. They never go to the endpoint that they are about, and losing one is
itself no event: otherwise two dead endpoints would tell each other of their deaths for ever."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    HELD = "held"


class Disabled(StrEnum):
    """Why an endpoint is off."""

    OWNER = "owner"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Only failures for five days."""
    EXHAUSTED = "exhausted"
    """Twenty exhausted deliveries in a row."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one POST."""

    status: int | None
    """The HTTP status, where there was one."""
    error: str | None
    """One word where it is a failure: refused_address, dns, connect, tls, timeout, reset, protocol, too_large
    or http_status."""
    retry_after: timedelta | None = None
    response: str | None = None
    """The beginning of the body, kept for failures only."""

    @property
    def delivered(self) -> bool:
        """2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a delivery after an attempt; `due_at` matters while it is pending or held."""

    state: DeliveryState
    due_at: datetime


def after_attempt(attempt: int, answer: Answer, *, at: datetime, random: float) -> Next:
    """Decide from the number of the attempt (from 1) that ended at `at`; `random` in [0, 1) is the jitter.

    A delivery that meets a 410 is held, not lost: the endpoint is off from now on.
    """
    if answer.delivered:
        return Next(DeliveryState.DELIVERED, at)
    if attempt >= MAX_ATTEMPTS:
        return Next(DeliveryState.EXHAUSTED, at)
    due_at = at + gap(attempt, answer, random=random)
    return Next(DeliveryState.HELD if answer.gone else DeliveryState.PENDING, due_at)


def gap(attempt: int, answer: Answer, *, random: float) -> timedelta:
    """The wait after failed attempt number `attempt`: Retry-After within [step, 2 × step], else the step with
    jitter (B-163)."""
    step = GAPS[attempt - 1]
    if answer.retry_after is not None and answer.status in _THROTTLES:
        return min(max(answer.retry_after, step), 2 * step)
    return step * (1 - JITTER + 2 * JITTER * random)


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing."""

    failing_since: datetime | None = None
    """The first failure since its last success."""
    exhausted_in_a_row: int = 0
    succeeded_at: datetime | None = None
    """About when it last succeeded; kept to the minute, so that a busy endpoint's row rests."""
    disabled: Disabled | None = None

    def after(self, answer: Answer, state: DeliveryState, *, at: datetime) -> Health:
        """Health after an attempt that ended at `at` and left its delivery in `state`."""
        if answer.delivered:
            return replace(self, failing_since=None, exhausted_in_a_row=0, succeeded_at=at)
        failing_since = min(self.failing_since or at, at)
        exhausted = self.exhausted_in_a_row + (state is DeliveryState.EXHAUSTED)
        return replace(
            self,
            failing_since=failing_since,
            exhausted_in_a_row=exhausted,
            disabled=self.disabled or _reason_to_disable(answer, at - failing_since, exhausted),
        )


def _reason_to_disable(answer: Answer, failing_for: timedelta, exhausted: int) -> Disabled | None:
    if answer.gone:
        return Disabled.GONE
    if failing_for >= DISABLE_AFTER:
        return Disabled.FAILING
    if exhausted >= DISABLE_AFTER_EXHAUSTED:
        return Disabled.EXHAUSTED
    return None
