"""A whole deployment that may be hurt: servers of its own behind proxies, processes, and one account per trial.

A house is slow to build and outlives many tests; a trial is one test's account in it, with its own client and books.
`House.heal` puts everything right again between two trials, whatever the last one left behind.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import aiohttp
import asyncpg

from services.api.core.accounts import create_account
from shared.store.database import Database
from shared.store.migrate import migrate
from tests.rig.checker import assert_holds
from tests.rig.client import Client, all_of, calling
from tests.rig.ledgers import Heard, Ledgers, provider_calls
from tests.rig.postgres import PostgresServer, private_postgres
from tests.rig.processes import IN_A_TEST, Process, running
from tests.rig.provider_server import Call, ProviderServer
from tests.rig.proxy import Mode, Proxy
from tests.rig.rabbitmq import RabbitNode, private_rabbitmq
from tests.rig.receiver import Receiver
from tests.rig.rows import read_rows, texts
from tests.rig.seeding import seed

MASTER_KEY: Final = base64.b64encode(bytes(range(32))).decode()
ONE_OF_EACH: Final = {"api": 1, "scheduler": 1, "dispatcher": 1, "webhooks": 1}
QUICK: Final = {"BELLTOWER_LEASE": "3", "BELLTOWER_RESCUE_EVERY": "1", "BELLTOWER_PROVIDER_TIMEOUT": "2"}
"""Short leases: a test sees in seconds what takes half a minute in a deployment."""


def through(url: str, proxy: Proxy) -> str:
    """The same address, but by way of the proxy."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))


def environment_for(dsn: str, bus_url: str, provider: ProviderServer) -> dict[str, str]:
    """The settings of processes that send through the fake provider, with a key, on short leases."""
    return {
        "DATABASE_URL": dsn,
        "BUS_URL": bus_url,
        "BELLTOWER_MASTER_KEY": MASTER_KEY,
        "BELLTOWER_PROVIDER": "http",
        "BELLTOWER_HTTP_PROVIDER_URL": f"{provider.url}/messages",
        "BELLTOWER_WEBHOOK_ALLOW": "127.0.0.0/8",
        "BELLTOWER_RATE_LIMIT": "0",
        **QUICK,
    }


@dataclass
class Trial:
    """One test's account, with what its callers were told and what the provider was given since it began."""

    dsn: str
    account_id: UUID
    client: Client
    provider: ProviderServer
    began: int
    """How many calls the provider had been given before."""
    heard: list[Heard] | None = None
    """What a consumer of the broker heard, where the test has one (`tests.rig.listener`)."""
    receivers: dict[UUID, Receiver] = field(default_factory=dict)
    """The receivers of this account's endpoints."""

    @property
    def calls(self) -> list[Call]:
        """What the provider was asked since this trial began."""
        return self.provider.calls[self.began :]

    async def seed(self, count: int, **options: Any) -> None:
        """So many reminders of this account, past the API (`tests.rig.seeding`)."""
        await seed(self.dsn, self.account_id, count, **options)

    async def until_called(self, more: int, *, within: float = 30.0) -> None:
        """Wait until the provider was asked so many times more."""
        wanted = len(self.provider.calls) + more
        async with asyncio.timeout(within):
            while len(self.provider.calls) < wanted:
                await asyncio.sleep(0.01)

    async def endpoint(self, receiver: Receiver, *types: str, behaviour: str = "ok") -> UUID:
        """Have these events delivered there; the endpoint's id."""
        body = {"name": "Trial", "target_url": receiver.url(behaviour), "event_types": list(types or ("message.sent",))}
        url, headers = f"{self.client.targets()[0]}/v1/webhooks", {"x-api-key": self.client.api_key}
        async with self.client.http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            id = UUID((await answer.json())["endpoint"]["id"])
        self.receivers[id] = receiver
        return id

    async def ask(self, statement: str, *arguments: Any) -> Any:
        """One value from the database."""
        rows = await self.rows(statement, *arguments)
        return rows[0][0] if rows else None

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows from the database, past every proxy."""
        connection = await asyncpg.connect(self.dsn, timeout=5, command_timeout=30)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    @asynccontextmanager
    async def loaded(self, *, callers: int = 4, **load: float) -> AsyncIterator[None]:
        """Callers that create reminders while the block runs, each again and again until it is accepted."""
        name = f"load{len(self.client.log)}"
        calling = asyncio.create_task(self.client.load(name, seconds=3_600, tries=100_000, callers=callers, **load))
        try:
            await asyncio.sleep(0.5)
            yield
        finally:
            self.client.hurry.set()
            await calling
            self.client.hurry.clear()

    async def until_accepted(self, *, within: float = 10.0) -> float:
        """Seconds until a create is accepted again."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            for n in count():
                if (await self.client.create(f"again{began}-{n}", datetime.now(UTC))).promised:
                    break
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def until_heard(self, *, within: float = 30.0) -> None:
        """Until the test's consumer of the broker has every event of this account."""
        await self.until_ended()
        async with asyncio.timeout(within):
            while True:
                books = await self.books()
                if {event.id for event in books.rows.events} <= {one.id for one in books.heard or ()}:
                    return
                await asyncio.sleep(0.2)

    @property
    def heard_twice(self) -> int:
        """How many events its consumer got again."""
        return len(self.heard or ()) - len({one.id for one in self.heard or ()})

    async def until_ended(self, *, within: float = 60.0) -> float:
        """Seconds until no send of this account that is due waits, and every event of it is published."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            while await self._open():
                await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def _open(self) -> bool:
        statement = """
            select exists (select from occurrences
                           where account_id = $1 and state in ('scheduled', 'queued', 'sending')
                           and scheduled_for < clock_timestamp() + interval '10 seconds')
                or exists (select from outbox where account_id = $1 and published_at is null)
                or exists (select from deliveries where account_id = $1 and state in ('pending', 'sending')
                           and due_at < clock_timestamp() + interval '10 seconds')"""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return bool(await self.ask(statement, self.account_id))
        return True

    async def books(self, *, calmed_at: datetime | None = None) -> Ledgers:
        """What everybody has written down."""
        rows = await read_rows(self.dsn, account_id=self.account_id)
        calls = self.calls
        names = None if all(call.occurrence_id for call in calls) else await texts(self.dsn)
        received = provider_calls(calls, names)
        own = {event.id for event in rows.events} | {delivery.id for delivery in rows.deliveries}
        heard = [one for one in self.heard or () if one.id in own]
        for endpoint_id, receiver in self.receivers.items():
            heard += [one for one in _posts(receiver, endpoint_id) if one.id in own]
        known = None if self.heard is None and not self.receivers else heard
        return Ledgers(rows, self.client.log, received, known, self.provider.honours_keys, calmed_at)

    async def check(self, *, calmed_at: datetime | None = None, within: float = 60.0) -> float:
        """Wait for the end of everything and hold the books against each other; seconds that the wait took."""
        seconds = await self.until_ended(within=within)
        assert_holds(await self.books(calmed_at=calmed_at))
        return seconds


def _posts(receiver: Receiver, endpoint_id: UUID) -> list[Heard]:
    return [Heard(UUID(post.json()["id"]), post.body, endpoint_id) for post in receiver.ledger]


@asynccontextmanager
async def trial_in(
    dsn: str, provider: ProviderServer, targets: Callable[[], Sequence[str]], *, heard: list[Heard] | None = None
) -> AsyncIterator[Trial]:
    """A new account with a client for the time of the block."""
    db = await Database.open(dsn, size=1)
    try:
        async with db.transaction() as tx:
            account = await create_account(tx, name="Trial")
    finally:
        await db.close()
    async with calling(targets, secret=account.default.primary_key, api_key=account.api_key) as client:
        yield Trial(dsn, account.account_id, client, provider, len(provider.calls), heard)


@dataclass
class House:
    """See the module."""

    postgres: PostgresServer
    node: RabbitNode
    to_postgres: Proxy
    to_rabbit: Proxy
    provider: ProviderServer
    dsn: str
    """Past the proxy, for the test itself."""
    bus_url: str
    environment: dict[str, str]
    folder: Path
    processes: dict[str, list[Process]] = field(default_factory=dict)
    _others: int = 0

    @property
    def api(self) -> Process:
        return self.processes["api"][0]

    @property
    def pids(self) -> list[int]:
        """Who runs: the same list after a fault says that no service ended."""
        return [process.pid for process in self.every if process.alive]

    async def ctl(self, *words: str) -> str:
        """rabbitmqctl, beside the loop."""
        return await asyncio.to_thread(self.node.ctl, *words)

    @property
    def every(self) -> list[Process]:
        return [process for group in self.processes.values() for process in group]

    def another(self, service: str, **settings: str) -> Process:
        """One more process of a service, not started, with other settings; its test stops it."""
        self._others += 1
        return Process(service, self.environment | settings, self.folder / f"{service}-other-{self._others}.log")

    async def heal(self, *, within: float = 30.0) -> float:
        """Pass everything on, start what is down, wait until all are ready; seconds that this took."""
        began = time.monotonic()
        await self.to_postgres.set(Mode.PASS)
        await self.to_rabbit.set(Mode.PASS)
        for proxy in (self.to_postgres, self.to_rabbit):
            proxy.lose_replies_to(b"", 0)
            proxy.silence(b"")
        if not self.postgres.cluster.is_running():
            await asyncio.to_thread(self.postgres.start)
        if not self.node.running:
            await asyncio.to_thread(self.node.start)
        for process in self.every:
            if not process.alive:
                process.start()
        await self.ready(within=within)
        return time.monotonic() - began

    async def ready(self, *, within: float) -> float:
        """Seconds until every process says that it is ready."""
        began = time.monotonic()
        await asyncio.gather(*(process.ready(within=within) for process in self.every))
        return time.monotonic() - began

    async def until_red(self, *, within: float) -> float:
        """Seconds until some process says that it is not ready."""
        began = time.monotonic()
        async with asyncio.timeout(within), aiohttp.ClientSession() as http:
            while all([await process.is_ready(http) for process in self.every]):
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    @asynccontextmanager
    async def trial(self, *, heard: list[Heard] | None = None) -> AsyncIterator[Trial]:
        """One test's share of the house, healed before and after."""
        await self.heal()
        self.provider.reset()
        try:
            async with trial_in(self.dsn, self.provider, all_of(self.processes["api"]), heard=heard) as trial:
                yield trial
        finally:
            await self.heal()


@asynccontextmanager
async def a_house(folder: Path, services: Mapping[str, int] | None = None, **settings: str) -> AsyncIterator[House]:
    """Durable servers, proxies before them, and these processes behind the proxies."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(private_postgres(durable=True))
        node = stack.enter_context(private_rabbitmq())
        to_postgres = await stack.enter_async_context(Proxy(postgres.cluster.port))
        to_rabbit = await stack.enter_async_context(Proxy(node.port))
        provider = await stack.enter_async_context(ProviderServer.running())
        dsn, bus_url = postgres.dsn(), node.url()
        await migrate(dsn)
        environment = environment_for(through(dsn, to_postgres), through(bus_url, to_rabbit), provider) | settings
        environment = IN_A_TEST | environment
        house = House(postgres, node, to_postgres, to_rabbit, provider, dsn, bus_url, environment, folder)
        house.processes = await stack.enter_async_context(running(services or ONE_OF_EACH, environment, folder))
        await asyncio.to_thread(node.settle)
        yield house
