"""Connections that dawdle, idle, disagree about framing or announce what they never send: at the running service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.api import body, serve
from tests.builders import an_item
from tests.integration.api.conftest import Door

PATIENCE = 0.5
CREATE = "/api/reminder/item/create"


@pytest.fixture
async def port(visitor: Door, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where the service listens; it waits half a second for headers and bodies."""
    assert (serve.KEEP_ALIVE, body.READ_TIMEOUT) == (15.0, 10.0)
    monkeypatch.setattr(serve, "KEEP_ALIVE", PATIENCE)
    monkeypatch.setattr(body, "READ_TIMEOUT", PATIENCE)
    settings = visitor.runtime.settings.model_copy(
        update={"api_host": "127.0.0.1", "api_port": 0, "readiness_delay": 0, "drain": 1}
    )
    runtime = replace(visitor.runtime, settings=settings, stopping=asyncio.Event(), addresses={})
    service = asyncio.create_task(serve.run(runtime))
    async with asyncio.timeout(10):
        while "api" not in runtime.addresses:
            await asyncio.sleep(0.01)
    found = urlsplit(runtime.addresses["api"]).port
    assert found is not None
    yield found
    runtime.stopping.set()
    await service


async def send(port: int, *parts: bytes, every: float = 0.0) -> tuple[bytes, float]:
    """All that comes back until the other end closes, and after how long; the parts are sent one after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()

    async def drip() -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(every)

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(15):
            return await reader.read(), time.monotonic() - began
    except ConnectionError:
        return b"", time.monotonic() - began
    finally:
        dripping.cancel()
        writer.close()


def posting(door: Door, body: bytes, *more: str) -> bytes:
    key = f"x-api-key: {door.account.api_key}"
    head = [f"POST {CREATE} HTTP/1.1", "Host: x", "Content-Type: application/json", "Connection: close", key, *more]
    return "\r\n".join([*head, "", ""]).encode() + body


async def test_a_connection_that_says_nothing_or_dawdles_over_its_headers_is_closed(port: int) -> None:
    """15 seconds as it comes; here half of one."""
    silent = send(port)
    slow = send(port, *(bytes([byte]) for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: yes, very\r\n"), every=0.1)
    for _, took in await asyncio.gather(silent, slow):
        assert took < 4 * PATIENCE + 2


async def test_a_body_that_drips_is_cut_off(port: int, visitor: Door) -> None:
    """10 seconds as it comes; here half of one."""
    drips = [posting(visitor, b"", "Content-Length: 1000"), *([b" "] * 200)]
    chunked = [posting(visitor, b"", "Transfer-Encoding: chunked"), *([b"1\r\n \r\n"] * 200)]
    for parts in (drips, chunked):
        answer, took = await send(port, *parts, every=0.05)
        assert b" 408 " in answer.splitlines()[0]
        assert took < 4 * PATIENCE + 2


async def test_five_hundred_idle_connections_keep_nobody_out(
    port: int, visitor: Door, figure: Callable[[str], None]
) -> None:
    crowd = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(500)))
    began = time.monotonic()
    try:
        item = json.dumps(an_item("in-a-crowd")).encode()
        answer, _ = await send(port, posting(visitor, item, f"Content-Length: {len(item)}"))
        took = time.monotonic() - began
        assert answer.startswith(b"HTTP/1.1 201")
        assert took < 2
        async with asyncio.timeout(10):
            assert [await reader.read() for reader, _ in crowd] == [b""] * 500
    finally:
        for _, writer in crowd:
            writer.close()
    figure(f"500 idle connections: a reminder is accepted beside them in {took * 1000:.0f} ms, and they are closed")


async def test_a_body_is_invited_only_once_it_is_wanted(port: int, visitor: Door) -> None:
    """RFC 9110, 10.1.1: who asks first is not invited to send what is refused."""
    expects = "Expect: 100-continue"
    answer, _ = await send(port, posting(visitor, b"", expects, "Content-Length: 100000000"))
    assert answer.startswith(b"HTTP/1.1 413")
    item = json.dumps(an_item("invited")).encode()
    answer, _ = await send(port, posting(visitor, b"", expects, f"Content-Length: {len(item)}"), item, every=0.1)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201")


async def test_an_unknown_expectation_is_not_told_back(port: int, visitor: Door) -> None:
    item = json.dumps(an_item("expecting")).encode()
    answer, _ = await send(port, posting(visitor, item, "Expect: canary", f"Content-Length: {len(item)}"))
    assert answer.startswith(b"HTTP/1.1 201")
    answer, _ = await send(port, b"GET /nowhere HTTP/1.1\r\nHost: x\r\nExpect: canary\r\nConnection: close\r\n\r\n")
    assert b"Server: Belltower\r\n" in answer
    assert b"aiohttp" not in answer


SMUGGLED = [
    b"5;a\nb\r\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcdeX\r\n0\r\n\r\n",
    b"-5\r\nabcde\r\n0\r\n\r\n",
    b"0x5\r\nabcde\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\nabcde\r\n0\r\n\r\n",
    b"\r\n0\r\n\r\n",
]
HEADS: list[list[str]] = [
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: chunked, chunked"],
    ["Transfer-Encoding:\x0bchunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 3"],
    ["Content-Length: 3, 4"],
    ["Content-Length: -1"],
    ["Content-Length: 0x3"],
    ["Content-Length: 99999999999999999999"],
    ["Content-Encoding: br", "Content-Length: 3"],
    ["Bad Name: 1", "Content-Length: 3"],
    [f"X-Long: {'x' * 40_000}", "Content-Length: 3"],
    [*(f"X-{number}: 1" for number in range(500)), "Content-Length: 3"],
]
SECOND = f"GET {CREATE} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def test_framing_that_hides_a_second_request_is_refused_and_the_connection_closed(
    port: int, visitor: Door
) -> None:
    """What stands behind it is never read as a request of its own."""
    chunked = [posting(visitor, body + SECOND, "Transfer-Encoding: chunked") for body in SMUGGLED]
    kept_open = [request.replace(b"Connection: close\r\n", b"") for request in chunked]
    heads = [posting(visitor, b"abc" + SECOND, *head).replace(b"Connection: close\r\n", b"") for head in HEADS]
    for request in [*kept_open, *heads]:
        answer, took = await send(port, request)
        assert answer[9:12] in {b"400", b"408", b"413"}, (request[-400:], answer[:100])
        assert answer.count(b"HTTP/1.") == 1, request[-400:]
        assert took < 5


@pytest.mark.parametrize("header", ["Host", "Content-Length", "Transfer-Encoding", "Content-Type"])
async def test_a_header_that_counts_once_is_not_taken_twice(port: int, visitor: Door, header: str) -> None:
    twice = {
        "Host": ["Host: y", "Content-Length: 2"],
        "Content-Length": ["Content-Length: 2", "Content-Length: 2"],
        "Transfer-Encoding": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        "Content-Type": ["Content-Type: text/plain", "Content-Length: 2"],
    }
    answer, _ = await send(port, posting(visitor, b"{}", *twice[header]))
    assert answer[:7] + answer[8:12] == b"HTTP/1. 400"


async def test_two_keys_that_differ_prove_nobody(visitor: Door) -> None:
    """B-007: whatever is given must be right."""
    for more in (("x-api-key", "other"), ("Authorization", "Bearer other"), ("Authorization", "Basic x")):
        headers: Any = [("x-api-key", visitor.account.api_key), more]
        response = await visitor.client.get("/v1/webhooks", headers=headers)
        assert response.status == 401
