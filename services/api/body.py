"""Reads a request's body: bounded in size and in time, before any connection to the database is taken."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import ClientPayloadError, HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from shared.domain.refusal import Invalid, Problem, TooLarge, TooSlow

READ_TIMEOUT: Final = 10.0
"""Seconds in which the whole body must arrive."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """The body, unpacked, of at most `limit` bytes. Raises `TooLarge`, `TooSlow`, `Invalid`."""
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(limit)
    await _invite(request)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise TooLarge(limit)
                parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError):
        # The server would read on after the answer, and call what it finds a bug.
        request.content.feed_eof()
        raise Invalid([Problem("", "the body cannot be unpacked", "body_invalid")]) from None
    return b"".join(parts)


async def expect_later(_: web.Request) -> None:
    """Answers `Expect`: nothing yet. Who waits for a word before it sends its body gets it once the body is wanted.

    The library would invite every body at once, and answer an expectation that it does not know in words of its own,
    past the dialect; unknown ones may be ignored (RFC 9110, 10.1.1).
    """


async def _invite(request: web.Request) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun
