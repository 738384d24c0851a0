"""The API on a free port over a database of its own; nothing rings here: no scheduler, no dispatcher."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from rig.postgres import PostgresServer
from services.api.app import build_app
from services.api.core.accounts import NewAccount, create_account
from shared.bus.memory import MemoryBus
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store.database import Database

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()

Answer = tuple[int, Any]


@dataclass
class Door:
    """A caller of the API, with an account, and a look behind it."""

    client: TestClient[Any, Any]
    runtime: Runtime
    account: NewAccount

    @property
    def base(self) -> str:
        """The integration path of the account's default configuration."""
        return "/api/reminder/default/default"

    @property
    def key(self) -> dict[str, str]:
        return {"x-api-key": self.account.api_key}

    async def call(self, method: str, path: str, json: Any = None, *, key: str | None = None, **request: Any) -> Answer:
        """Status and JSON at an account-key door."""
        headers = {"x-api-key": key or self.account.api_key, **request.pop("headers", {})}
        response = await self.client.request(method, path, json=json, headers=headers, **request)
        return response.status, await _json(response)

    async def reminder(
        self, method: str, reminder_id: str, json: Any = None, *, secret: str | None = None, **request: Any
    ) -> Answer:
        """Status and JSON at the integration door."""
        secret = self.account.default.primary_key if secret is None else secret
        url = f"{self.base}/{reminder_id}?secret={secret}"
        response = await self.client.request(method, url, json=json, **request)
        return response.status, await _json(response)

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.runtime.db.transaction() as tx:
            await tx.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self.runtime.db.connection() as db:
            return [dict(row) for row in await db.fetch(statement, *arguments)]

    async def events(self) -> list[str]:
        """The types of all events; fails where a subject's sequence has a gap."""
        rows = await self.fetch("select type, subject, sequence from outbox order by at, sequence")
        subjects: dict[Any, list[int]] = {}
        for row in rows:
            subjects.setdefault(row["subject"], []).append(row["sequence"])
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in subjects.values())
        return [row["type"] for row in rows]

    async def another_account(self, name: str = "Other") -> NewAccount:
        async with self.runtime.db.transaction() as tx:
            return await create_account(tx, name=name)


async def _json(response: aiohttp.ClientResponse) -> Any:
    body = await response.read()
    return await response.json() if body else None


@asynccontextmanager
async def open_door(settings: Settings) -> AsyncIterator[Door]:
    """The API with a new account, over the database of `settings`."""
    assert settings.database_url is not None
    db = await Database.open(settings.database_url.get_secret_value(), size=10)
    runtime = Runtime(settings=settings, db=db, bus=MemoryBus(DeadLetterTable(db)))
    async with db.transaction() as tx:
        account = await create_account(tx, name="Acme")
    async with TestClient(TestServer(build_app(runtime), access_log=None)) as client:
        yield Door(client, runtime, account)
    await runtime.bus.close()
    await db.close()


def _settings(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", MASTER_KEY)
    return Settings()


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return _settings(database_url, monkeypatch)


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    async with open_door(settings) as door:
        yield door


@pytest.fixture(scope="session")
def shared_database_url(postgres_server: PostgresServer, template_database: str) -> str:
    """One database for the tests that look at answers alone: each brings an account of its own."""

    async def make() -> None:
        connection = await asyncpg.connect(postgres_server.dsn("postgres"))
        await connection.execute(f"create database test_api template {template_database}")
        await connection.close()

    asyncio.run(make())
    return postgres_server.dsn("test_api")


@pytest.fixture
async def visitor(shared_database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """A door for tests that look at answers alone."""
    async with open_door(_settings(shared_database_url, monkeypatch)) as door:
        yield door
