"""How fast a key may ask, and how often an address may fail: the counts, without a server."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from services.api.limits import MOST, Limits, Pace
from shared.domain.refusal import RateLimited
from shared.runtime.settings import BadSettings, read_settings


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(address: str | None, *forwarded: str) -> Any:
    """A request from there, with these `X-Forwarded-For` headers."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    request = make_mocked_request("GET", "/", headers=dict(headers))
    return request.clone(remote=address, headers=[*headers])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    proxies = [ip_network("10.0.0.0/8"), ip_network("::1/128")]
    return Limits(per_second=2, failures_per_minute=3, proxies=proxies, clock=clock)


def refused(act: Callable[[], None]) -> int:
    """The seconds to wait."""
    with pytest.raises(RateLimited) as told:
        act()
    return told.value.retry_after


def test_b_093_a_key_may_send_five_seconds_worth_at_once_and_then_its_pace(limits: Limits, clock: Clock) -> None:
    limits.proved("sk_live_a")
    for _ in range(9):
        limits.admit("sk_live_a")
    assert refused(lambda: limits.admit("sk_live_a")) == 1
    clock.now += 0.5
    limits.admit("sk_live_a")
    assert refused(lambda: limits.admit("sk_live_a")) == 1
    limits.proved("sk_live_b")
    limits.admit("sk_live_b")
    clock.now += 60
    for _ in range(10):
        limits.admit("sk_live_a")


def test_made_up_keys_are_not_counted_and_take_no_place(limits: Limits) -> None:
    for number in range(3 * MOST):
        limits.admit(f"sk_live_{number}")
    limits.admit("")
    limits.admit("\udcff\ud800é\0")
    assert len(limits._keys) == 0  # noqa: SLF001


def test_only_failing_attempts_are_refused_and_only_of_their_address(limits: Limits, clock: Clock) -> None:
    """B-006."""
    limits.proved("sk_live_a")
    for _ in range(3):
        limits.failed(asked("203.0.113.7"))
    assert refused(lambda: limits.failed(asked("203.0.113.7"))) == 20
    limits.admit("sk_live_a")
    limits.failed(asked("203.0.113.8"))
    clock.now += 20
    limits.failed(asked("203.0.113.7"))
    assert refused(lambda: limits.failed(asked("203.0.113.7"))) == 20


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["", ","], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", ["1.2.3.4"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.1"], ""),
        ("", [], ""),
    ],
)
def test_only_trusted_proxies_say_who_calls(
    limits: Limits, remote: str | None, forwarded: list[str], address: str
) -> None:
    assert limits.address_of(asked(remote, *forwarded)) == address


def test_zero_sets_no_limit(clock: Clock) -> None:
    limits = Limits(per_second=0, failures_per_minute=0, clock=clock)
    limits.proved("sk_live_a")
    for _ in range(1000):
        limits.admit("sk_live_a")
        limits.failed(asked("203.0.113.7"))


def test_what_is_remembered_is_bounded_and_the_longest_unseen_goes_first() -> None:
    pace = Pace(1, 1, most=100)
    for number in range(1000):
        pace.spend(b"%d" % number, 0.0)
        pace.spend(b"0", 0.0)
    assert len(pace) == 100
    assert (b"0" in pace, b"999" in pace, b"1" in pace) == (True, True, False)


@given(pace=st.floats(0.01, 1000), burst=st.floats(0.1, 100), gaps=st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_never_more_than_the_burst_and_what_the_pace_allows(pace: float, burst: float, gaps: list[float]) -> None:
    """And who waits as long as was said is let in."""
    counted, now, let_in = Pace(pace, burst), 0.0, 0
    for gap in gaps:
        now += gap
        wait = counted.spend(b"key", now)
        let_in += wait == 0
        if wait:
            now += wait
            assert counted.spend(b"key", now) <= 1e-6
            let_in += 1
        assert let_in <= max(burst, 1) + now * pace + 1


def test_a_count_costs_microseconds(figure: Callable[[str], None]) -> None:
    limits = Limits(per_second=1e6, failures_per_minute=1e6)
    limits.proved("sk_live_a")
    began = time.perf_counter()
    for _ in range(20_000):
        limits.admit("sk_live_a")
        limits.proved("sk_live_a")
    each = (time.perf_counter() - began) / 20_000
    figure(f"the rate limit costs {each * 1e6:.1f} µs a request")
    assert each < 0.0002


@pytest.mark.parametrize(
    ("name", "value"),
    [("RATE_LIMIT", "-1"), ("FAILED_LOGINS", "many"), ("TRUSTED_PROXIES", "10.0.0.0/99"), ("RATE_LIMIT", "nan")],
)
def test_a_wrong_limit_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"BELLTOWER_{name}", value)
    with pytest.raises(BadSettings, match=f"BELLTOWER_{name}"):
        read_settings()
