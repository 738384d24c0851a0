"""Reads a request's body: bounded in size and in time, before any connection to the database is taken."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from shared.domain.refusal import Invalid, Problem, TooLarge, TooSlow

READ_TIMEOUT: Final = 10.0
"""Seconds in which the whole body must arrive."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """The body, unpacked, of at most `limit` bytes. Raises `TooLarge`, `TooSlow`, `Invalid`."""
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(limit)
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
