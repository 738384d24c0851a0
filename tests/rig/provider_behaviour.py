"""The ways in which the fake provider answers, from the right one to no HTTP at all."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web

from tests.rig.provider_wire import Reply, Wire


class Behaviour(StrEnum):
    """What the server does with a call; `…_after` and everything from HTML on take the message first."""

    ACCEPT = "accept"
    REJECT = "reject"
    SLOW_DOWN = "slow_down"
    UNAUTHORIZED = "unauthorized"
    ERROR_INSIDE = "error_inside"
    REDIRECT = "redirect"
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HTML = "html"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    """JSON that stops in the middle."""
    CUT_OFF = "cut_off"
    """The connection closes before the announced length."""
    HUGE = "huge"
    """10 MB."""
    GZIP_BOMB = "gzip_bomb"
    SLOW_BODY = "slow_body"
    """A byte every 50 ms."""
    NOT_HTTP = "not_http"


REFUSALS: Final = frozenset(
    {
        Behaviour.REJECT,
        Behaviour.SLOW_DOWN,
        Behaviour.UNAUTHORIZED,
        Behaviour.ERROR_INSIDE,
        Behaviour.REDIRECT,
        Behaviour.FAIL_BEFORE,
        Behaviour.HANG_BEFORE,
        Behaviour.RESET_BEFORE,
    }
)
"""The behaviours that take no message."""


@dataclass(frozen=True, slots=True)
class Answering:
    """One call that is to be answered."""

    request: web.Request
    wire: Wire
    message_id: str | None
    retry_after: str | None
    closing: asyncio.Event
    """Ends every hang."""

    @property
    def accepted(self) -> Reply:
        """The right answer."""
        return self.wire.accepted(self.message_id or "")


async def answer(behaviour: Behaviour, call: Answering) -> web.StreamResponse:
    """Answer `call`, or do not."""
    match behaviour:
        case Behaviour.ACCEPT:
            return _response(call.accepted)
        case Behaviour.HANG_BEFORE | Behaviour.HANG_AFTER:
            await call.closing.wait()
            return web.Response()
        case Behaviour.RESET_BEFORE | Behaviour.RESET_AFTER:
            return _reset(call.request)
        case Behaviour.SLOW_BODY:
            return await _slowly(call)
        case Behaviour.CUT_OFF | Behaviour.NOT_HTTP:
            return _raw(behaviour, call)
    replies = {
        Behaviour.REJECT: call.wire.rejected,
        Behaviour.SLOW_DOWN: call.wire.slow_down,
        Behaviour.UNAUTHORIZED: call.wire.unauthorized,
        Behaviour.ERROR_INSIDE: call.wire.error_inside,
        Behaviour.FAIL_BEFORE: call.wire.failed,
        Behaviour.FAIL_AFTER: call.wire.failed,
        Behaviour.REDIRECT: Reply(307, {}, {"Location": str(call.request.url.with_path("/elsewhere"))}),
    }
    return _response(replies[behaviour], call.retry_after) if behaviour in replies else _garbage(behaviour, call)


def _response(reply: Reply, retry_after: str | None = None) -> web.Response:
    headers = dict(reply.headers) | ({"Retry-After": retry_after} if retry_after is not None else {})
    return web.json_response(reply.body, status=reply.status, headers=headers)


def _reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    # Without lingering, closing a socket sends RST instead of FIN.
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return web.Response()


def _garbage(behaviour: Behaviour, call: Answering) -> web.Response:
    whole = json.dumps(call.accepted.body).encode()
    bodies = {
        Behaviour.HTML: b"<html><h1>Welcome</h1></html>",
        Behaviour.EMPTY: b"",
        Behaviour.TRUNCATED: whole[: len(whole) // 2],
        Behaviour.HUGE: b"[" * 10_000_000,
        Behaviour.GZIP_BOMB: gzip.compress(b"[" * 10_000_000),
    }
    headers = {"Content-Type": "text/html" if behaviour is Behaviour.HTML else "application/json"}
    if behaviour is Behaviour.GZIP_BOMB:
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=call.accepted.status, body=bodies[behaviour], headers=headers)


def _raw(behaviour: Behaviour, call: Answering) -> web.Response:
    """Bytes that no HTTP server would send."""
    assert call.request.transport is not None
    if behaviour is Behaviour.CUT_OFF:
        head = f"HTTP/1.1 {call.accepted.status} -\r\nContent-Length: 1000\r\n\r\n"
        call.request.transport.write(head.encode() + b'{"')
    else:
        call.request.transport.write(b"220 mail.example ESMTP\r\n\r\n")
    call.request.transport.close()
    return web.Response()


async def _slowly(call: Answering) -> web.StreamResponse:
    body = json.dumps(call.accepted.body).encode()
    response = web.StreamResponse(status=call.accepted.status, headers={"Content-Length": str(len(body))})
    await response.prepare(call.request)
    with contextlib.suppress(ConnectionError):
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(0.05)
    return response
