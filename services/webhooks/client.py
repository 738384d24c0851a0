"""One POST to a server that may be hostile: every wait, every byte and every address is bounded.

A fresh connection for each POST: no connection, cookie or answer of one account ever serves another, and no
stale connection turns into a failed delivery.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
from yarl import URL

from services.webhooks.vetting import Lookup, RefusedAddress, SystemLookup, Vetting, VettingResolver
from shared.domain.endpoint import Answer
from shared.domain.retry_after import retry_after

LONGEST_WAIT: Final = timedelta(days=7)
"""More than any gap of the ladder allows; the ladder then takes at most twice its gap."""

CONNECT_TIMEOUT: Final = 5.0
BODY_LIMIT: Final = 16_384
"""Bytes of an answer that are read at the most; the connection is closed then."""
BODY_PATIENCE: Final = 1.0
"""Seconds that a body gets once the status is known: the status alone decides."""
RESPONSE_KEPT: Final = 1000
"""Bytes of a failure's answer that are kept for its owner to read."""


class WebhookClient:
    """POSTs and judges; never raises for anything that a receiver does."""

    def __init__(
        self, vetting: Vetting, *, concurrency: int, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        connector = aiohttp.TCPConnector(
            resolver=VettingResolver(vetting, lookup or SystemLookup()),
            socket_factory=vetting.make_socket,
            use_dns_cache=False,
            force_close=True,
            limit=concurrency,
            ssl=tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": "Belltower-Webhooks/1", "Accept-Encoding": "identity", "Accept": "*/*"},
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> Answer:
        """POST `body` as it is, within `timeout` seconds in all; no redirect is followed."""
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        deadline = time.monotonic() + timeout
        try:
            async with self._session.post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False, timeout=limits
            ) as response:
                try:
                    return await _answer(response, deadline)
                finally:
                    response.close()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(status=None, error=_word(error))

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()


async def _answer(response: aiohttp.ClientResponse, deadline: float) -> Answer:
    text = await _beginning(response, min(BODY_PATIENCE, max(0.0, deadline - time.monotonic())))
    if 200 <= response.status < 300:
        return Answer(status=response.status, error=None)
    return Answer(
        status=response.status,
        error="http_status",
        retry_after=retry_after(
            response.headers.get("Retry-After"),
            now=datetime.now(UTC),
            longest=LONGEST_WAIT,
            server_date=response.headers.get("Date"),
        ),
        response=text or None,
    )


async def _beginning(response: aiohttp.ClientResponse, patience: float) -> str:
    """The first kilobyte of the body as text that Postgres takes. What comes late or breaks off is not missed."""
    kept, read = b"", 0
    try:
        async with asyncio.timeout(patience):
            while read < BODY_LIMIT and (chunk := await response.content.read(BODY_LIMIT - read)):
                read += len(chunk)
                kept = (kept + chunk)[:RESPONSE_KEPT]
    except (aiohttp.ClientError, OSError, ValueError):
        pass
    return kept.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _word(error: Exception) -> str:
    """One word for what went wrong; the exception's own text holds the URL and is never logged."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, RefusedAddress):
        return "refused_address"
    for kind, word in _WORDS:
        if isinstance(error, kind):
            return word
    if isinstance(error, aiohttp.ClientResponseError):
        return "too_large" if "too " in error.message.lower() or "more than" in error.message else "protocol"
    return "protocol" if isinstance(error, ValueError) else "reset"


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (ssl.SSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
)
