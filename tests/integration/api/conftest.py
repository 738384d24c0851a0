"""The API on a free port over a database of its own; nothing rings here: no scheduler, no dispatcher."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

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


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", MASTER_KEY)
    return Settings()


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    assert settings.database_url is not None
    db = await Database.open(settings.database_url.get_secret_value(), size=10)
    runtime = Runtime(settings=settings, db=db, bus=MemoryBus(DeadLetterTable(db)))
    async with db.transaction() as tx:
        account = await create_account(tx, name="Acme")
    async with TestClient(TestServer(build_app(runtime))) as client:
        yield Door(client, runtime, account)
    await runtime.bus.close()
    await db.close()
