"""A webhook receiver that misbehaves on demand and keeps a ledger of every request it read.

`async with Receiver.running() as receiver:` gives one on a free port of 127.0.0.1. What it does is chosen by
the request's path: `/<behaviour>`, optionally with `?` options; see `_BEHAVIOURS`. It speaks HTTP by hand,
because half of what it does no proper server can do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Received:
    """One request, read whole before anything was answered."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """Which connection it came on, from 1."""

    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[asyncio.StreamWriter, dict[str, str]], Awaitable[None]]


@dataclass(slots=True)
class Receiver:
    """See the module."""

    port: int = 0
    ledger: list[Received] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    behave: dict[str, str] = field(default_factory=dict)
    """Overrides by path: `behave["/hook"] = "status?code=500"` changes what an endpoint does, live."""
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Receiver]:
        """Serve while the block runs."""
        receiver = cls()
        server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)
        receiver.port = server.sockets[0].getsockname()[1]
        try:
            yield receiver
        finally:
            server.close()
            receiver._stop()

    def url(self, behaviour: str = "ok") -> str:
        """The address that behaves so."""
        return f"http://127.0.0.1:{self.port}/{behaviour}"

    def at(self, path: str) -> list[Received]:
        """The requests for one path."""
        return [received for received in self.ledger if received.path.split("?")[0] == path]

    def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            received = await _read(reader, self.connections)
            self.ledger.append(received)
            chosen = self.behave.get(received.path.split("?")[0], received.path.lstrip("/"))
            parts = urlsplit(chosen)
            await _BEHAVIOURS.get(parts.path, _ok)(writer, dict(parse_qsl(parts.query)))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open_now -= 1
            self.tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(head[0].split(" ")[1], headers, body, connection)


async def _ok(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _status(writer, {"code": "200", **options})


async def _status(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    body = options.get("body", "").encode()
    after = f"Retry-After: {options['after']}\r\n" if "after" in options else ""
    await _send(
        writer, f"HTTP/1.1 {options.get('code', '500')} Word\r\n{after}Content-Length: {len(body)}\r\n\r\n", body
    )


async def _redirect(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    """To `to`, with status `code`."""
    head = f"HTTP/1.1 {options.get('code', '302')} Moved\r\nLocation: {options['to']}\r\nContent-Length: 0\r\n\r\n"
    await _send(writer, head)


async def _endless(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    """A body without end, as fast as it is taken."""
    await _send(writer, f"HTTP/1.1 {options.get('code', '500')} Word\r\nContent-Length: 99999999999\r\n\r\n")
    while True:
        await _send(writer, "", b"x" * 65536)


async def _drip_body(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _send(writer, f"HTTP/1.1 {options.get('code', '500')} Word\r\nContent-Length: 100000\r\n\r\n")
    await _drip(writer, b"x")


async def _drip_header(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _send(writer, "HTTP/1.1 200 OK\r\nX-Slow: ")
    await _drip(writer, b"x")


async def _early_hints(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _drip(writer, b"HTTP/1.1 103 Early Hints\r\n\r\n")


async def _drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        await _send(writer, "", piece)
        await asyncio.sleep(0.05)


async def _many_headers(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    lines = "".join(f"X-{n}: {n}\r\n" for n in range(int(options.get("count", "100000"))))
    await _send(writer, f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n")


async def _large_header(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _send(writer, f"HTTP/1.1 200 OK\r\nX-Large: {'x' * 8_000_000}\r\nContent-Length: 0\r\n\r\n")


@cache
def a_bomb() -> bytes:
    """Takes a second to make: ask for it before the clock runs."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(press.compress(bytes(1_000_000)) for _ in range(200)) + press.flush()


async def _bomb(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    """200 MB of zeros as some 200 kB of gzip, asked for or not."""
    body = a_bomb()
    head = (
        f"HTTP/1.1 {options.get('code', '500')} Word\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    await _send(writer, head, body)


async def _reset(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    writer.transport.abort()


async def _silent(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await asyncio.sleep(float(options.get("for", "3600")))


async def _garbage(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _send(writer, "SSH-2.0-OpenSSH_9.2\r\n\r\n")


async def _nul(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    await _send(writer, "HTTP/1.1 500 Word\r\nContent-Length: 5\r\n\r\n", b"a\x00b\xff!")


async def _cookie(writer: asyncio.StreamWriter, options: dict[str, str]) -> None:
    """Things that a browser would remember, and a connection that it would keep."""
    head = 'HTTP/1.1 200 OK\r\nSet-Cookie: who=first; Path=/\r\nAlt-Svc: h3=":443"\r\n'
    await _send(writer, f"{head}Strict-Transport-Security: max-age=9999999\r\nContent-Length: 0\r\n\r\n")


async def _send(writer: asyncio.StreamWriter, head: str, body: bytes = b"") -> None:
    writer.write(head.encode("latin-1") + body)
    await writer.drain()


_BEHAVIOURS: dict[str, Answer] = {
    "ok": _ok,
    "status": _status,
    "redirect": _redirect,
    "endless": _endless,
    "drip-body": _drip_body,
    "drip-header": _drip_header,
    "early-hints": _early_hints,
    "many-headers": _many_headers,
    "large-header": _large_header,
    "bomb": _bomb,
    "reset": _reset,
    "silent": _silent,
    "garbage": _garbage,
    "nul": _nul,
    "cookie": _cookie,
}
