"""A whole deployment that may be hurt: servers of its own behind proxies, processes, and one account per trial.

A house is slow to build and outlives many tests; a trial is one test's account in it, with its own client and books.
`House.heal` puts everything right again between two trials, whatever the last one left behind.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from shared.store.migrate import migrate
from tests.rig.client import all_of
from tests.rig.ledgers import Heard
from tests.rig.postgres import PostgresServer, private_postgres
from tests.rig.processes import IN_A_TEST, Process, running
from tests.rig.provider_server import ProviderServer
from tests.rig.proxy import Mode, Proxy
from tests.rig.rabbitmq import RabbitNode, private_rabbitmq
from tests.rig.trial import Trial, trial_in

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
