"""One call of a provider, and what is known of it afterwards: answered, never sent, or perhaps taken.

That difference decides whether a message may be repeated, so it is made here, once, for every provider that
speaks HTTP. Nothing is followed, decompressed, remembered or retried; a hostile answer costs 64 kB at most.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson

from services.dispatcher.deadline import until
from services.dispatcher.timeouts import Timeouts
from shared.domain.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT: Final = timedelta(minutes=15)
"""No provider may hold a message back for longer than this, whatever it asks for."""

BODY_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are ever read."""

_NEVER_ROUNDED: Final = 3600.0
# aiohttp rounds deadlines longer than its threshold of 5 s up to a whole second of the loop's clock, which
# would let a 9 s deadline end after the dispatcher's own 10 s.


@dataclass(frozen=True, slots=True)
class Answer:
    """The provider answered; the body may still be short, cut or no JSON at all."""

    status: int
    body: bytes
    retry_after: timedelta | None = None

    def json(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty for anything else."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request was never written: repeating it is safe with any provider."""

    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request may have reached the provider, and no usable answer came back."""

    reason: str
    code: str


Result = Answer | NotSent | NoAnswer


@dataclass(slots=True)
class _Progress:
    """Whether this call has a connection: from then on a byte of it may be on the wire."""

    connected: bool = False


@dataclass(slots=True)
class HttpCaller:
    """Connections to one provider, used by many tasks at once.

    With `reuse`, connections are kept for `keep_alive` seconds, which makes a reset on a stale one possible:
    only for providers that honour a key. Without it every call gets a connection of its own.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    reuse: bool = False
    limit: int = 0
    """Connections at once; 0 is no limit of our own, because the dispatcher bounds its calls already."""
    keep_alive: float = 4.0
    """Below the 5 s after which common servers (Node.js) close an idle connection."""
    _session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Result:
        """POST `body` to `url` once.

        Raises nothing for anything a server or a network can do.
        """
        return await self._call("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Result:
        """GET `url` once, likewise: a question, which changes nothing."""
        return await self._call("GET", url, None, headers)

    async def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Result:
        progress = _Progress()
        deadline = asyncio.get_running_loop().time() + self.timeouts.total
        try:
            async with until(deadline):
                response = await self._open().request(
                    method, url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=progress
                )
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            return _unanswered(error, progress)
        try:
            return await _read(response, deadline)
        finally:
            response.release()

    async def close(self) -> None:
        """Give back every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        # Made on first use: a session belongs to the running loop, and start-up code may have none yet.
        if self._session is None:
            self._session = _new_session(self)
        return self._session


async def _read(response: aiohttp.ClientResponse, deadline: float) -> Answer:
    """The answer whose head has arrived: from here on its status stands, whatever becomes of its body."""
    body = bytearray()
    try:
        async with until(deadline):
            while len(body) < BODY_LIMIT and (chunk := await response.content.read(BODY_LIMIT - len(body))):
                body += chunk
    except (aiohttp.ClientError, OSError):
        response.close()
    if not response.content.at_eof():
        response.close()  # what is left is never read, so the connection cannot serve again
    wait = retry_after(
        response.headers.get("Retry-After"),
        now=datetime.now(UTC),
        longest=LONGEST_WAIT,
        server_date=response.headers.get("Date"),
    )
    return Answer(response.status, bytes(body), wait)


def _unanswered(error: Exception, progress: _Progress) -> NotSent | NoAnswer:
    """Say which side of the first byte `error` fell on; its own words may quote addresses: not used."""
    if progress.connected:
        return _lost(error)
    if isinstance(error, aiohttp.ClientSSLError):
        return NotSent("no trusted TLS connection could be made", "tls")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NotSent("the provider's host name could not be resolved", "dns")
    if isinstance(error, TimeoutError):
        return NotSent("no connection could be made in time", "connect_timeout")
    return NotSent("the provider could not be reached", "refused")


def _lost(error: Exception) -> NoAnswer:
    if isinstance(error, TimeoutError):
        return NoAnswer("no answer came in time", "timeout")
    if isinstance(error, aiohttp.ClientResponseError):
        return NoAnswer("the answer was not HTTP", "garbage")
    return NoAnswer("the connection was lost before an answer came", "reset")


def _new_session(caller: HttpCaller) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=caller.limit,
        timeout_ceil_threshold=_NEVER_ROUNDED,
        # A body of options, because aiohttp refuses `keepalive_timeout` beside `force_close`.
        **({"keepalive_timeout": caller.keep_alive} if caller.reuse else {"force_close": True}),
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(connect=caller.timeouts.connect, ceil_threshold=_NEVER_ROUNDED),
        headers={"User-Agent": "Belltower", "Accept": "application/json", "Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a few kB could otherwise unpack to gigabytes
        trust_env=False,  # a proxy variable must not reroute other people's messages
        trace_configs=[_connection_trace()],
    )


def _connection_trace() -> aiohttp.TraceConfig:
    """Mark a call's `_Progress` once it has a connection, new or kept."""

    async def connected(_session: aiohttp.ClientSession, context: Any, _params: object) -> None:
        context.trace_request_ctx.connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace
