"""The waits between tries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain_builders import randoms

from shared.domain.backoff import SEND, delay


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 300)])
def test_the_waits_between_the_five_attempts_grow(failures: int, seconds: int) -> None:
    """B-058."""
    assert delay(failures, SEND, random=0.5) == timedelta(seconds=seconds)


def test_the_last_step_holds_for_every_try_after_it() -> None:
    assert delay(40, SEND, random=0.5) == timedelta(minutes=5)


@given(st.integers(1, 50), randoms)
def test_jitter_stays_within_a_tenth_of_the_step(tries: int, random: float) -> None:
    """B-058."""
    step = delay(tries, SEND, random=0.5)
    assert step * 0.9 <= delay(tries, SEND, random=random) <= step * 1.1
