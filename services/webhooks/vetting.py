"""The connect-time half of the address guard: every address is judged at the moment a socket is made for it.

The name's answer is filtered when it is resolved, and the final socket address is judged once more where the
socket is made; there is no second resolution in between, so an answer that changes has nothing to win. Literal
addresses never reach a resolver, which is why the socket is the place that counts.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.domain.address_guard import Network, may_reach

DNS_TIMEOUT: Final = 5.0
"""Seconds for one look-up."""
_CANDIDATES: Final = 4
"""Addresses of one name that are tried at the most."""
_LOOKUPS: Final = 64
"""Look-ups at once: slow name servers of some must not stop the others'."""

AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name and socket address, as `getaddrinfo` gives them."""


class RefusedAddress(OSError):
    """A webhook may not go there. Holds no address: that would end up in a log."""


class Lookup(Protocol):
    """Turns a name into addresses; tests put their own here."""

    async def __call__(self, host: str, port: int, family: int) -> Iterable[AddrInfo]:
        """Raises `OSError` where the name has none."""
        ...


class SystemLookup:
    """The machine's own name service, in threads of our own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="webhook-dns")

    async def __call__(self, host: str, port: int, family: int) -> Iterable[AddrInfo]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )


class Vetting:
    """Knows where webhooks may go: the table, the deployment's exceptions, and our own servers, which never."""

    def __init__(self, allow: Collection[Network], own: Collection[tuple[str, int]] = ()) -> None:
        self._allow, self._own = tuple(allow), frozenset(own)

    def make_socket(self, candidate: AddrInfo) -> socket.socket:
        """A socket for a permitted address. Raises `RefusedAddress`, and then no packet leaves."""
        family, kind, protocol, _, address = candidate
        host, port = address[:2]
        scoped = len(address) == 4 and address[3] != 0
        if scoped or (host, port) in self._own or not self.permits(host):
            raise RefusedAddress("refused")
        return socket.socket(family, kind, protocol)

    def permits(self, host: str) -> bool:
        """Whether this address, as text, may be reached at all."""
        return may_reach(host, self._allow)


class VettingResolver(AbstractResolver):
    """Resolves a name to its permitted addresses only."""

    def __init__(self, vetting: Vetting, lookup: Lookup) -> None:
        self._vetting, self._lookup = vetting, lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `OSError`: `RefusedAddress` where the name has addresses and none of them is permitted."""
        try:
            async with asyncio.timeout(DNS_TIMEOUT):
                found = list(await self._lookup(host, port, family))
        except TimeoutError:
            raise OSError("the name service is too slow") from None
        permitted = [info for info in found if self._vetting.permits(info[4][0])]
        if found and not permitted:
            raise RefusedAddress("refused")
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=found_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, protocol, _, address in permitted[:_CANDIDATES]
        ]

    async def close(self) -> None:
        """Nothing of its own."""


async def own_servers(urls: Iterable[str], lookup: Lookup) -> set[tuple[str, int]]:
    """Address and port of each of our own servers, as far as their URLs say and their names resolve now."""
    ports = {"postgres": 5432, "postgresql": 5432, "amqp": 5672, "amqps": 5671}
    found: set[tuple[str, int]] = set()
    for url in urls:
        parts = urlsplit(url)
        port = parts.port or ports.get(parts.scheme)
        if not parts.hostname or port is None:
            continue
        try:
            found |= {(info[4][0], port) for info in await lookup(parts.hostname, port, socket.AF_UNSPEC)}
        except OSError:
            continue
    return found
