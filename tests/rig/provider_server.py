"""A fake messaging provider: speaks Twilio, WhatsApp and the generic gateway, and misbehaves on demand.

It keeps a ledger of every call, written before the answer, so that a test can hold what was *taken* against
what was *answered*. In a test: `async with ProviderServer.running() as server`. As a process of its own:
`python -m tests.rig.provider_server --ledger FILE`, steered by `POST /_behave` and read by `GET /_ledger`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from tests.rig.provider_behaviour import REFUSALS, Answering, Behaviour, answer
from tests.rig.provider_wire import Taken, Wire, wire_of


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the ledger."""

    at: float
    """Seconds since 1970 when the request had been read."""
    wire: str
    behaviour: str
    key: str | None
    occurrence_id: str | None
    scheduled_at: str | None
    message_id: str | None
    """The id of the message this call was taken as; None where it was refused."""
    repeat: bool
    """Whether a key that had been seen before made this call no message of its own."""
    headers: dict[str, str]
    message: dict[str, Any]


@dataclass
class ProviderServer:
    """See the module. Every field may be changed while it runs."""

    default: Behaviour = Behaviour.ACCEPT
    mix: dict[Behaviour, float] = field(default_factory=dict)
    """Probabilities of other behaviours than `default`."""
    honours_keys: bool = True
    latency: tuple[float, float] = (0.0, 0.0)
    """Seconds before each answer, between the two."""
    retry_after: str | None = None
    """Sent as `Retry-After` with every refusal."""
    ledger: Path | None = None
    """Also write the calls here, one JSON object a line; keys found in it at the start are honoured."""
    seed: int = 0

    def __post_init__(self) -> None:
        self.calls: list[Call] = []
        self.next: deque[Behaviour] = deque()
        self.questions: list[dict[str, str]] = []
        """The queries for messages that it has."""
        self.listing, self.status = 200, "delivered"
        """The HTTP status of a list, and how far its messages came."""
        self.hidden: set[str] = set()
        """Messages that no list shows yet."""
        self.url = ""
        self._ids: dict[str, str] = {}
        self._random = random.Random(self.seed)  # repeatable, not secret
        self._closing = asyncio.Event()
        self._file: TextIO | None = None

    def reset(self) -> None:
        """Behave well from now on; the ledger stays."""
        self.default, self.mix, self.retry_after = Behaviour.ACCEPT, {}, None
        self.honours_keys, self.latency = True, (0.0, 0.0)
        self.next.clear()

    @property
    def messages(self) -> list[Call]:
        """The calls that became a message: what a person would have received."""
        return [call for call in self.calls if call.message_id is not None and not call.repeat]

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, *, port: int = 0, **options: Any) -> AsyncIterator[ProviderServer]:
        """A server on a free port of 127.0.0.1, at `url`."""
        server = cls(**options)
        server._open_ledger()
        app = web.Application(client_max_size=1024**2)
        app.router.add_post("/_behave", server._behave)
        app.router.add_get("/_ledger", server._ledger)
        app.router.add_route("*", "/{path:.*}", server._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
            await site.start()
            server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield server
        finally:
            server._closing.set()
            await runner.cleanup()
            if server._file is not None:
                server._file.close()

    def _open_ledger(self) -> None:
        if self.ledger is None:
            return
        if self.ledger.exists():
            for line in self.ledger.read_text().splitlines():
                call = Call(**json.loads(line))
                self.calls.append(call)
                if call.key and call.message_id:
                    self._ids.setdefault(call.key, call.message_id)
        self._file = self.ledger.open("a")

    async def _behave(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.default = Behaviour(wanted.get("default", self.default))
        self.mix = {Behaviour(name): share for name, share in wanted.get("mix", self.mix).items()}
        self.honours_keys = wanted.get("honours_keys", self.honours_keys)
        self.latency = tuple(wanted.get("latency", self.latency))
        self.retry_after = wanted.get("retry_after", self.retry_after)
        return web.json_response({})

    async def _ledger(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.calls])

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        wire = wire_of(request.path)
        if request.method == "GET" and wire.listed is not None:
            return self._list(wire, request)
        try:
            message = wire.read(request.headers, await request.read())
        except (ValueError, KeyError) as error:
            return web.json_response({"unreadable": str(error)}, status=422)
        behaviour = self._choose()
        call = self._record(wire, behaviour, request, message)
        if self.latency[1]:
            await asyncio.sleep(self._random.uniform(*self.latency))
        return await answer(behaviour, Answering(request, wire, call.message_id, self.retry_after, self._closing))

    def _list(self, wire: Wire, request: web.Request) -> web.Response:
        """What it has, for who asks; not a call, and in no ledger."""
        self.questions.append(dict(request.query))
        if self.listing != 200 or wire.listed is None:
            return web.json_response({}, status=self.listing)
        known = [call for call in self.messages if call.wire == wire.name]
        taken = [Taken(call.message_id or "", call.at, call.message, self.status) for call in known]
        reply = wire.listed(request.query, [one for one in taken if one.id not in self.hidden])
        return web.json_response(reply.body, status=reply.status)

    def _choose(self) -> Behaviour:
        if self.next:
            return self.next.popleft()
        dice = self._random.random()
        for behaviour, share in self.mix.items():
            if (dice := dice - share) < 0:
                return behaviour
        return self.default

    def _record(self, wire: Wire, behaviour: Behaviour, request: web.Request, message: dict[str, Any]) -> Call:
        key = request.headers.get("Idempotency-Key")
        known = self._ids.get(key) if key and self.honours_keys else None
        message_id = known or (None if behaviour in REFUSALS else wire.new_id())
        if key and message_id:
            self._ids.setdefault(key, message_id)
        call = Call(
            at=time.time(),
            wire=wire.name,
            behaviour=behaviour.value,
            key=key,
            occurrence_id=request.headers.get("Belltower-Occurrence"),
            scheduled_at=request.headers.get("Belltower-Scheduled-At"),
            message_id=message_id,
            repeat=known is not None,
            headers=dict(request.headers),
            message=message,
        )
        self.calls.append(call)
        if self._file is not None:
            self._file.write(json.dumps(asdict(call)) + "\n")
            self._file.flush()
        return call


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A fake messaging provider.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--ignore-keys", action="store_true")
    parser.add_argument("--default", type=Behaviour, default=Behaviour.ACCEPT)
    parser.add_argument("--latency", type=float, nargs=2, default=(0.0, 0.0), metavar=("FROM", "TO"))
    chosen = parser.parse_args()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    options = {"default": chosen.default, "latency": tuple(chosen.latency), "ledger": chosen.ledger}
    running = ProviderServer.running(port=chosen.port, honours_keys=not chosen.ignore_keys, **options)
    async with running as server:
        print(json.dumps({"url": server.url}), flush=True)  # noqa: T201 - the caller reads it
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main())
