"""When a delivery comes again, and when an endpoint is switched off: the pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import backoff
from shared.domain.endpoint import (
    GAPS,
    MAX_ATTEMPTS,
    Answer,
    DeliveryState,
    Disabled,
    Health,
    after_attempt,
    gap,
)

NOW = datetime(2026, 3, 25, tzinfo=UTC)
FAILED = Answer(500, "http_status")
chances = st.floats(0, 1, exclude_max=True)


def test_b_162_the_ladder() -> None:
    """B-162, B-259: seven gaps, eight attempts, and nothing in common with the ladder of messages."""
    assert [g.total_seconds() / 60 for g in GAPS] == [1, 5, 30, 120, 360, 720, 1440]
    assert MAX_ATTEMPTS == 8
    assert backoff.SEND != GAPS


@given(attempt=st.integers(1, 7), chance=chances)
def test_b_163_jitter_stays_within_ten_percent(attempt: int, chance: float) -> None:
    wait = gap(attempt, FAILED, random=chance)
    assert 0.9 * GAPS[attempt - 1] <= wait <= 1.1 * GAPS[attempt - 1]


@given(
    attempt=st.integers(1, 7),
    chance=chances,
    status=st.sampled_from([429, 502, 503, 504]),
    asked=st.timedeltas(timedelta(0), timedelta(days=7)),
)
def test_b_163_retry_after_is_clamped(attempt: int, chance: float, status: int, asked: timedelta) -> None:
    wait = gap(attempt, Answer(status, "http_status", asked), random=chance)
    step = GAPS[attempt - 1]
    assert step <= wait <= 2 * step
    if step <= asked <= 2 * step:
        assert wait == asked


@given(status=st.integers(100, 599), attempt=st.integers(1, 8), chance=chances)
def test_b_163_only_2xx_is_success(status: int, attempt: int, chance: float) -> None:
    after = after_attempt(attempt, Answer(status, None), at=NOW, random=chance)
    if 200 <= status < 300:
        assert after.state is DeliveryState.DELIVERED
    elif attempt == 8:
        assert after.state is DeliveryState.EXHAUSTED
    else:
        assert after.state is (DeliveryState.HELD if status == 410 else DeliveryState.PENDING)
        assert after.due_at > NOW


def test_b_164_only_failures_for_five_days() -> None:
    health = Health().after(FAILED, DeliveryState.PENDING, at=NOW)
    assert health.failing_since == NOW
    almost = health.after(FAILED, DeliveryState.PENDING, at=NOW + timedelta(hours=119, minutes=59))
    assert almost.disabled is None
    assert almost.after(FAILED, DeliveryState.PENDING, at=NOW + timedelta(hours=120)).disabled is Disabled.FAILING
    healed = almost.after(Answer(204, None), DeliveryState.DELIVERED, at=NOW + timedelta(hours=119))
    assert healed.failing_since is None
    assert healed.after(FAILED, DeliveryState.PENDING, at=NOW + timedelta(hours=121)).disabled is None


def test_b_164_twenty_exhausted_in_a_row() -> None:
    health = Health()
    for n in range(20):
        assert health.disabled is None, n
        health = health.after(FAILED, DeliveryState.EXHAUSTED, at=NOW)
    assert health.disabled is Disabled.EXHAUSTED
    reset = Health(exhausted_in_a_row=19).after(Answer(200, None), DeliveryState.DELIVERED, at=NOW)
    assert reset.after(FAILED, DeliveryState.EXHAUSTED, at=NOW).disabled is None


def test_b_163_a_410_disables_at_once() -> None:
    """B-163, B-164."""
    assert Health().after(Answer(410, "http_status"), DeliveryState.HELD, at=NOW).disabled is Disabled.GONE


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 100))))
def test_b_164_success_at_least_every_four_days_never_disables(steps: list[tuple[bool, int]]) -> None:
    health, at = Health(), NOW
    for fails, hours in steps:
        if at - (health.failing_since or at) + timedelta(hours=hours) < timedelta(hours=96) and fails:
            at += timedelta(hours=hours)
            health = health.after(FAILED, DeliveryState.PENDING, at=at)
        else:
            at += timedelta(hours=hours)
            health = health.after(Answer(200, None), DeliveryState.DELIVERED, at=at)
    assert health.disabled is None
