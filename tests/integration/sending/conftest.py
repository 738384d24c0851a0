"""The scheduler and the dispatcher over a real database, a memory bus and a provider that misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.dispatcher.dispatcher import Dispatcher
from services.dispatcher.recorder import Recorder
from services.dispatcher.routing import Providers, open_providers
from services.dispatcher.run import SandboxTable
from services.scheduler.scheduler import Scheduler
from shared.bus.bus import SEND_DUE
from shared.bus.memory import MemoryBus
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store.database import Database
from shared.store.occurrences import Begun
from tests.rig.provider_server import ProviderServer


class Sending:
    """One scheduler and one dispatcher, driven by hand, and what a test wants to know of the outcome."""

    def __init__(self, runtime: Runtime, providers: Providers, provider: ProviderServer) -> None:
        self.runtime, self.providers, self.provider = runtime, providers, provider
        self.scheduler = Scheduler(runtime)
        self.recorder = Recorder(runtime)
        self.dispatcher = Dispatcher(runtime, providers, self.recorder)
        self.recording: asyncio.Task[None]
        self.account = uuid4()
        self.configuration = uuid4()

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.runtime.db.transaction() as tx:
            await tx.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self.runtime.db.connection() as db:
            return [dict(row) for row in await db.fetch(statement, *arguments)]

    async def make_account(self) -> None:
        await self.execute("insert into accounts (id, name, created_at) values ($1, 'Acme', now())", self.account)
        await self.execute(
            """insert into configurations (id, account_id, agent_id, configuration_id, name, created_at, updated_at)
               values ($1, $2, 'default', 'default', 'default', now(), now())""",
            self.configuration,
            self.account,
        )

    async def remind(self, *due_in: float, **columns: Any) -> UUID:
        """A reminder with a send time each so many seconds from now (negative: past)."""
        reminder = uuid4()
        row = {"template_name": "greeting", "text": "Hello", **columns}
        names, values = list(row), list(row.values())
        places = ", ".join(f"${n}" for n in range(4, 4 + len(row)))
        await self.execute(
            f"""insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, schedule,
                    tzdata_version, status, created_at, updated_at, {", ".join(names)})
                values ($1, $2, $3, 'integration', $1::uuid::text, 'sms', '+6281234567890', '{{}}', '2026.6', 'active',
                    now(), now(), {places})""",
            reminder,
            self.account,
            self.configuration,
            *values,
        )
        for seq, seconds in enumerate(due_in, start=1):
            await self.execute(
                """insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at)
                   values ($1, $2, $3, $4, clock_timestamp() + $5::interval, clock_timestamp() + $5::interval)""",
                uuid4(),
                reminder,
                self.account,
                seq,
                timedelta(seconds=seconds),
            )
        return reminder

    async def ring(self) -> float:
        """One tick of the scheduler, and all that it rang is sent and settled."""
        pause = await self.scheduler.tick()
        draining = asyncio.create_task(self._drain())
        await asyncio.wait([draining, self.recording], return_when=asyncio.FIRST_COMPLETED)
        if self.recording.done():
            draining.cancel()
            self.recording.result()
        await self.listen()
        return pause

    async def _drain(self) -> None:
        await self.runtime.bus.stop_consuming(drain=20)
        await self.dispatcher.drain(20)

    async def queue(self) -> list[tuple[UUID, int]]:
        """Claim what is due, and keep the hints: nothing is sent."""
        await self.runtime.bus.stop_consuming(drain=0)
        await self.scheduler.tick()
        rows = await self.fetch("select id, version from occurrences where state = 'queued' order by id")
        return [(row["id"], row["version"]) for row in rows]

    async def begin(self) -> list[Begun]:
        """Claim and begin what is due; the test makes up the answers."""
        begun, _ = await self.dispatcher.begin(await self.queue())
        return begun

    async def until_called(self) -> None:
        """Wait until a call has reached the provider."""
        async with asyncio.timeout(5):
            while not self.provider.calls:
                await asyncio.sleep(0.005)

    async def until_waiting(self, *, backends: int = 1) -> None:
        """Wait until so many statements wait for a lock."""
        waiting = """select count(*) as n from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'"""
        async with asyncio.timeout(5):
            while (await self.fetch(waiting))[0]["n"] < backends:
                await asyncio.sleep(0.005)

    async def listen(self) -> None:
        """Take `send.due` from the bus from now on."""
        await self.runtime.bus.consume(SEND_DUE, self.dispatcher.handle)

    async def make_due(self) -> None:
        """Bring every waiting retry forward to now, and let pauses of providers run out."""
        await self.execute("update occurrences set due_at = clock_timestamp() where state = 'scheduled'")
        await self.execute("update provider_pauses set until = clock_timestamp()")

    async def let_leases_run_out(self) -> None:
        await self.execute("update occurrences set lease_until = clock_timestamp() where lease_until is not null")

    async def occurrence(self, reminder: UUID, seq: int = 1) -> dict[str, Any]:
        return (await self.fetch("select * from occurrences where reminder_id = $1 and seq = $2", reminder, seq))[0]

    async def reminder(self, reminder: UUID) -> dict[str, Any]:
        return (await self.fetch("select * from reminders where id = $1", reminder))[0]

    async def history(self, reminder: UUID) -> list[str]:
        rows = await self.fetch("select action from history where reminder_id = $1 order by id", reminder)
        return [row["action"] for row in rows]

    async def events(self, subject: UUID) -> list[str]:
        """The types of the subject's events, in order; fails on a gap in their sequence."""
        rows = await self.fetch("select type, sequence from outbox where subject = $1 order by sequence", subject)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [row["type"] for row in rows]

    async def now(self) -> datetime:
        return (await self.fetch("select clock_timestamp() as now"))[0]["now"]


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer.running() as server:
        yield server


@pytest.fixture
def provider_name() -> str:
    """The provider that the test sends through; a test module may say another."""
    return "http"


@pytest.fixture
def settings(
    provider: ProviderServer, provider_name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("BELLTOWER_HTTP_PROVIDER_URL", f"{provider.url}/messages")
    monkeypatch.setenv("BELLTOWER_TWILIO_API_URL", provider.url)
    monkeypatch.setenv("BELLTOWER_TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000")
    monkeypatch.setenv("BELLTOWER_TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setenv("BELLTOWER_TWILIO_SMS_FROM", "+15005550006")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BELLTOWER_PROVIDER", provider_name)
    return Settings(provider_timeout=1.0)


@pytest.fixture
async def sending(settings: Settings, provider: ProviderServer) -> AsyncIterator[Sending]:
    assert settings.database_url is not None
    db = await Database.open(settings.database_url.get_secret_value(), size=5)
    runtime = Runtime(settings=settings, db=db, bus=MemoryBus(DeadLetterTable(db)))
    providers = open_providers(settings.providers(), SandboxTable(db), call_timeout=settings.provider_timeout)
    sending = Sending(runtime, providers, provider)
    await sending.make_account()
    sending.recording = asyncio.create_task(sending.recorder.run())
    await sending.listen()
    try:
        yield sending
    finally:
        await runtime.bus.stop_consuming(drain=5)
        await sending.recorder.finish(sending.recording)
        await runtime.bus.close()
        await providers.close()
        await db.close()
