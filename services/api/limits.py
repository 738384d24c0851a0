"""How fast a key may ask, and how often an address may fail to prove itself: counted in this process, bounded in size.

Kept in memory on purpose: a count that is asked at every request must not cost a statement. So each process counts for
itself, and a restart begins anew.

A key has a count once it has proved a caller: made-up keys take no place and push nobody out. Failures are counted by
address, and only failing attempts are refused: behind a proxy or a shared line, one caller's wrong key must not keep
the others out. A guess that is refused learns nothing, not even whether the configuration exists (B-006).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Final

from aiohttp import web

from shared.domain.address_guard import Address, Network
from shared.domain.refusal import RateLimited
from shared.runtime.settings import Settings

MOST: Final = 10_000
"""Keys, and likewise addresses, that are remembered; the one that was seen longest ago is forgotten first."""

BURST: Final = 5.0
"""Seconds' worth of requests that a key may send at once."""

_NETWORK_OF_ONE: Final = 64
"""Bits of an IPv6 address that are one caller's: the rest is theirs to choose."""


class Pace:
    """So many a second, and so many at once, for each of many names. Zero a second counts nothing.

    Of each name one number is kept: when it would be back at rest.
    """

    def __init__(self, per_second: float, burst: float, *, most: int = MOST) -> None:
        self._step = 1 / per_second if per_second else 0.0
        self._slack, self._most = self._step * max(burst, 1.0), most
        self._rest: OrderedDict[bytes, float] = OrderedDict()

    def __contains__(self, name: bytes) -> bool:
        return name in self._rest

    def __len__(self) -> int:
        return len(self._rest)

    def spend(self, name: bytes, now: float) -> float:
        """Count one at `now`, in seconds of a steady clock; returns the seconds to wait where it is one too many.

        What is too many is not counted: who goes on asking waits no longer for it.
        """
        if not self._step:
            return 0.0
        rest = max(self._rest.get(name, now), now) + self._step
        wait = rest - self._slack - now
        if wait > 1e-9:
            self._rest.move_to_end(name)
            return wait
        self._rest[name] = rest
        self._rest.move_to_end(name)
        if len(self._rest) > self._most:
            self._rest.popitem(last=False)
        return 0.0


class Limits:
    """What every door asks before it looks into the database, and after."""

    def __init__(
        self,
        *,
        per_second: float,
        failures_per_minute: float,
        proxies: Collection[Network] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._keys = Pace(per_second, per_second * BURST)
        self._failures = Pace(failures_per_minute / 60, failures_per_minute)
        self._proxies, self._clock = tuple(proxies), clock

    @classmethod
    def from_settings(cls, settings: Settings) -> Limits:
        return cls(
            per_second=settings.rate_limit,
            failures_per_minute=settings.failed_logins,
            proxies=settings.proxy_networks(),
        )

    def admit(self, presented: str) -> None:
        """Count a request under a key that has proved a caller before. Raises `RateLimited`."""
        name = _digest(presented)
        if presented and name in self._keys:
            _refuse_after(self._keys.spend(name, self._clock()))

    def proved(self, presented: str) -> None:
        """This key is a real one: it is counted from now on."""
        name = _digest(presented)
        if name not in self._keys:
            self._keys.spend(name, self._clock())

    def failed(self, request: web.Request) -> None:
        """Count an attempt that proved nobody. Raises `RateLimited` where its address had too many."""
        _refuse_after(self._failures.spend(self.address_of(request).encode(), self._clock()))

    def address_of(self, request: web.Request) -> str:
        """Who is calling: the connection's other end, or whom a trusted proxy names. `/64` of an IPv6 address.

        `X-Forwarded-For` is read from its end, and only as far as trusted proxies wrote it.
        """
        seen = _parsed(request.remote or "")
        if seen is None:
            return ""
        for text in reversed(_forwarded(request) if self._trusts(seen) else []):
            named = _parsed(text)
            if named is None:
                break
            seen = named
            if not self._trusts(seen):
                break
        return _caller(seen)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _refuse_after(wait: float) -> None:
    if wait:
        raise RateLimited(math.ceil(wait))


def _digest(presented: str) -> bytes:
    """Under which a key is counted: keys in the clear are kept nowhere."""
    return sha256(presented.encode(errors="surrogatepass")).digest()


def _forwarded(request: web.Request) -> list[str]:
    return [part.strip() for value in request.headers.getall("X-Forwarded-For", []) for part in value.split(",")]


def _parsed(text: str) -> Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _caller(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _NETWORK_OF_ONE), strict=False))
    return str(address)
