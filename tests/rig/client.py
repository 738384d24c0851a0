"""A caller of the API that behaves as a careful backend does, and writes down what it was told.

It spreads its requests over the API processes that are ready, as a load balancer would, repeats under the same
`Idempotency-Key` what got no answer or a 503, and keeps every answer in `log`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import aiohttp

from tests.rig.ledgers import Answered
from tests.rig.processes import Process

PATIENCE: Final = 30.0
"""Seconds that it waits for one answer: a request that takes longer hangs."""
LOST: Final = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(slots=True)
class Client:
    """See the module."""

    http: aiohttp.ClientSession
    targets: Callable[[], Sequence[str]]
    """The addresses to choose from; asked before every request."""
    secret: str
    api_key: str
    path: str = "/api/reminder/default/default"
    log: list[Answered] = field(default_factory=list)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: each caller of `load` ends with the request that it is at."""
    _turn: Any = field(default_factory=count)

    async def ask(self, verb: str, method: str, name: str, body: Any = None, *, key: str | None = None) -> Answered:
        """One request at the integration door and its answer, written down."""
        headers = {"X-Reminder-Secret": self.secret} | ({"Idempotency-Key": key} if key else {})
        asked, status, outcome = datetime.now(UTC), None, None
        with suppress(*LOST):
            url = f"{self._target()}{self.path}/{name}"
            async with self.http.request(method, url, json=body, headers=headers) as answer:
                found = await answer.json(content_type=None) if answer.status == 200 else await answer.read()
                status, outcome = answer.status, answer.headers.get("Belltower-Cancel-Outcome")
                if verb == "cancel" and isinstance(found, dict):
                    outcome = found.get("cancelOutcome")
        answered = Answered(verb, name, asked, datetime.now(UTC), status, outcome)
        self.log.append(answered)
        return answered

    def _target(self) -> str:
        targets = self.targets()
        if not targets:
            raise ConnectionError("no API is ready")
        return targets[next(self._turn) % len(targets)]

    async def create(self, name: str, due: datetime, *more: datetime, tries: int = 1) -> Answered:
        """Create a reminder that says its own name, again under the same key while nothing is promised."""
        body = {
            "countryCode": "+62",
            "phoneNumber": "81234567890",
            "notificationTemplateName": "greeting",
            "templateParameters": [name],
            "sendTimes": [moment.isoformat() for moment in (due, *more)],
        }
        return await self._stubbornly(tries, lambda: self.ask("create", "POST", name, body, key=f"create {name}"))

    async def cancel(self, name: str, *, tries: int = 1) -> Answered:
        body = {"date": datetime.now(UTC).isoformat(), "status": "cancelled"}
        return await self._stubbornly(tries, lambda: self.ask("cancel", "PUT", name, body))

    async def delete(self, name: str, *, tries: int = 1) -> Answered:
        return await self._stubbornly(tries, lambda: self.ask("delete", "DELETE", name))

    async def read(self, name: str) -> Answered:
        return await self.ask("read", "GET", name)

    async def _stubbornly(self, tries: int, ask: Callable[[], Awaitable[Answered]]) -> Answered:
        while True:
            answered = await ask()
            tries -= 1
            if answered.promised or tries <= 0 or self.hurry.is_set() or answered.status not in {None, 503}:
                return answered
            await asyncio.sleep(0.1)

    async def load(
        self, prefix: str, *, seconds: float, callers: int = 4, due_in: float = 1.0, tries: int = 1, pause: float = 0.05
    ) -> None:
        """Create reminders from `callers` at once for so long, each due `due_in` seconds after it is asked for."""
        self.hurry.clear()
        ends = asyncio.get_running_loop().time() + seconds

        async def call(number: int) -> None:
            for n in count():
                if self.hurry.is_set() or asyncio.get_running_loop().time() >= ends:
                    return
                due = datetime.now(UTC) + timedelta(seconds=due_in)
                await self.create(f"{prefix}-{number}-{n}", due, tries=tries)
                await asyncio.sleep(pause)

        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(call(number))

    def statuses(self, *verbs: str) -> dict[int | None, int]:
        """How often each status was answered; None where no answer came."""
        found: dict[int | None, int] = {}
        for one in self.log:
            if not verbs or one.verb in verbs:
                found[one.status] = found.get(one.status, 0) + 1
        return found

    @property
    def slowest(self) -> float:
        """Seconds of the longest request."""
        return max((one.seconds for one in self.log), default=0.0)


@asynccontextmanager
async def calling(targets: Callable[[], Sequence[str]], *, secret: str, api_key: str) -> AsyncIterator[Client]:
    """A client for the time of the block."""
    timeout, connector = aiohttp.ClientTimeout(total=PATIENCE), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        yield Client(http, targets, secret, api_key)


class Balancer:
    """Knows which of some API processes are ready, by asking their probes twice a second."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes
        self._ready: list[str] = []

    def __call__(self) -> Sequence[str]:
        return self._ready

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Balancer]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            await self._look(http)
            task = asyncio.create_task(self._again(http))
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _again(self, http: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(0.5)
            await self._look(http)

    async def _look(self, http: aiohttp.ClientSession) -> None:
        found = [process.address("listening") for process in self._processes if await process.is_ready(http)]
        self._ready = [address for address in found if address]


def all_of(processes: Sequence[Process]) -> Callable[[], Sequence[str]]:
    """Targets without any probing: whatever each process last said that it listens on."""
    return lambda: [address for process in processes if (address := process.address("listening"))]
