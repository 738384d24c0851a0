"""The real API on a port of its own, in a thread of its own: those who ask it need not be asynchronous."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
import requests
from integration.fuzz.world import World

from rig.postgres import PostgresServer
from services.api import run
from services.api.core.accounts import NewAccount, create_account
from shared.bus.memory import MemoryBus
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store.database import Database

PARK = """
with o as (
    update occurrences o set state = 'uncertain', lease_until = null, attempt = 1, failures = 1,
        attempt_id = gen_random_uuid(), attempt_started_at = clock_timestamp(), provider = 'twilio', takes_key = false,
        reason = 'no answer came in time', ended_at = clock_timestamp(), due_at = clock_timestamp(),
        scheduled_for = clock_timestamp()
    where o.reminder_id = $1
    returning o.reminder_id, o.ended_at)
update reminders r set status = 'expired', ended_at = o.ended_at, updated_at = o.ended_at
from o where r.id = o.reminder_id
"""
"""Makes a reminder's only send one of which nobody knows whether it was made."""


@dataclass
class RunningApi:
    loop: asyncio.AbstractEventLoop
    runtime: Runtime
    session: requests.Session

    def new_world(self) -> World:
        """An account of its own, empty so far."""
        account = asyncio.run_coroutine_threadsafe(self._account(), self.loop).result(30)
        return World(self.runtime.addresses["api"], self.session, account, self._park)

    def _park(self, reminder_id: str) -> None:
        asyncio.run_coroutine_threadsafe(self._execute(PARK, UUID(reminder_id)), self.loop).result(30)

    async def _execute(self, statement: str, *arguments: object) -> None:
        async with self.runtime.db.transaction() as tx:
            await tx.execute(statement, *arguments)

    async def _account(self) -> NewAccount:
        async with self.runtime.db.transaction() as tx:
            return await create_account(tx, name="Fuzz", owner_email="owner@example.com")


async def _serve(settings: Settings, ready: Future[tuple[asyncio.AbstractEventLoop, Runtime]]) -> None:
    assert settings.database_url is not None
    db = await Database.open(settings.database_url.get_secret_value(), size=5)
    runtime = Runtime(settings=settings, db=db, bus=MemoryBus(DeadLetterTable(db)))
    serving = asyncio.create_task(run(runtime))
    while "api" not in runtime.addresses:
        await asyncio.wait({serving}, timeout=0.02)
        if serving.done():
            serving.result()
    ready.set_result((asyncio.get_running_loop(), runtime))
    await serving
    await runtime.bus.close()
    await db.close()


@pytest.fixture(scope="module")
def api(postgres_server: PostgresServer, template_database: str) -> Iterator[RunningApi]:
    async def make_database() -> None:
        connection = await asyncpg.connect(postgres_server.dsn("postgres"))
        await connection.execute(f"create database test_fuzz template {template_database}")
        await connection.close()

    asyncio.run(make_database())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", postgres_server.dsn("test_fuzz"))
        environment.setenv("BELLTOWER_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
        environment.setenv("BELLTOWER_API_PORT", "0")
        environment.setenv("BELLTOWER_READINESS_DELAY", "0")
        environment.setenv("BELLTOWER_RATE_LIMIT", "0")
        environment.setenv("BELLTOWER_FAILED_LOGINS", "0")
        settings = Settings()
    ready: Future[tuple[asyncio.AbstractEventLoop, Runtime]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(settings, ready)))
    thread.start()
    loop, runtime = ready.result(30)
    with requests.Session() as session:
        yield RunningApi(loop, runtime, session)
    loop.call_soon_threadsafe(runtime.stopping.set)
    thread.join(30)
