"""The webhook service over a real database and a hostile receiver, driven tick by tick with a `now` of the test's."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.api.core.endpoints import create_endpoint
from services.api.core.policy import Core
from services.webhooks.client import WebhookClient
from services.webhooks.deliver import Deliverer
from services.webhooks.fanout import FanOut, fan_out, read
from services.webhooks.upkeep import Upkeep
from services.webhooks.vetting import Vetting
from shared.bus.bus import EVENTS, BusMessage
from shared.bus.memory import MemoryBus
from shared.domain.events import Event, MessageSent
from shared.messages.envelope import decode, encode, wrap
from shared.runtime.dead_letters import DeadLetterTable
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings
from shared.store import outbox
from shared.store.database import Database
from shared.store.outbox import Recorded
from tests.rig.receiver import Receiver

START = datetime(2026, 3, 25, 10, 30, tzinfo=UTC)
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()


class Webhooks:
    """One webhook service, one account, and what a test wants to know."""

    def __init__(self, runtime: Runtime, receiver: Receiver) -> None:
        self.runtime, self.receiver = runtime, receiver
        self.core = Core.from_settings(runtime.settings)
        settings = runtime.settings
        self.client = WebhookClient(Vetting(settings.webhook_networks()), concurrency=settings.webhook_concurrency)
        self.deliverer = Deliverer(runtime, self.client, self.core.keyring)
        self.fanout, self.upkeep = FanOut(runtime), Upkeep(runtime)
        self.now = START
        self.account, self.configuration, self.reminder = uuid4(), uuid4(), uuid4()

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self.runtime.db.transaction() as tx:
            await tx.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self.runtime.db.connection() as db:
            return [dict(row) for row in await db.fetch(statement, *arguments)]

    async def set_up(self) -> None:
        await self.execute(
            "insert into accounts (id, name, created_at) values ($1, 'Acme', $2)", self.account, self.now
        )
        await self.execute(
            """insert into configurations (id, account_id, agent_id, configuration_id, name, created_at, updated_at)
               values ($1, $2, 'agent', 'main', 'main', $3, $3)""",
            self.configuration,
            self.account,
            self.now,
        )
        await self.execute(
            """insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, schedule,
                   tzdata_version, status, created_at, updated_at)
               values ($1, $2, $3, 'integration', 'order-7', 'sms', '+6281234567890', '{}', '2026.6', 'active', $4,
                   $4)""",
            self.reminder,
            self.account,
            self.configuration,
            self.now,
        )

    async def endpoint(self, behaviour: str = "ok", *types: str, url: str | None = None) -> tuple[UUID, str]:
        """An endpoint of the account's; its id and its secret."""
        async with self.runtime.db.transaction() as tx:
            made = await create_endpoint(
                tx,
                self.core,
                account_id=self.account,
                name="Test",
                target_url=url or self.receiver.url(behaviour),
                event_types=types or ("message.sent",),
                now=self.now,
            )
        return made.endpoint.id, made.secret

    def sent(self, **facts: Any) -> MessageSent:
        """A message of the account's reminder that was sent."""
        values = {
            "reminder_id": self.reminder,
            "external_id": "order-7",
            "occurrence_id": uuid4(),
            "channel": "sms",
            "attempt": 1,
            "scheduled_for": self.now,
            "provider": "sandbox",
            "provider_message_id": "m-1",
            "sent_at": self.now,
        }
        return MessageSent(**{**values, **facts})

    def message(self, event: Event, *, id: UUID | None = None, account: UUID | None = None) -> BusMessage:
        """The event as the bus brings it."""
        envelope = wrap(event, event_id=id or uuid4(), account_id=account or self.account, at=self.now, sequence=1)
        return BusMessage(EVENTS, envelope.routing_key, envelope.id, encode(envelope))

    async def happen(self, *events: Event) -> None:
        """Fan these out, due from the test's `now` on."""
        happened = [read(decode(self.message(event).body)) for event in events or (self.sent(),)]
        async with self.runtime.db.connection() as db:
            await fan_out(db, [one for one in happened if one is not None], now=self.now)

    async def tick(self, **later: float) -> int:
        """One claim and all its POSTs, so much later than the last."""
        self.now += timedelta(**later)
        return await self.deliverer.tick(self.now)

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.fetch("select * from deliveries order by created_at, id")

    async def delivery(self) -> dict[str, Any]:
        """The only one."""
        found = await self.deliveries()
        assert len(found) == 1
        return found[0]

    async def attempts(self) -> list[dict[str, Any]]:
        return await self.fetch("select * from delivery_attempts order by started_at, number")

    async def health(self, endpoint: UUID) -> dict[str, Any]:
        return (await self.fetch("select * from endpoints where id = $1", endpoint))[0]

    async def events(self, subject: UUID) -> list[str]:
        """The types of the subject's events, in order; fails on a gap."""
        rows = await self.fetch("select type, sequence from outbox where subject = $1 order by sequence", subject)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [row["type"] for row in rows]

    async def remember(self, events: Sequence[Event]) -> None:
        """Put events into the outbox, as if they had been published."""
        async with self.runtime.db.transaction() as tx:
            await outbox.append(
                tx, [Recorded(event, self.account, self.now, n) for n, event in enumerate(events, start=1)]
            )

    async def close(self) -> None:
        await self.fanout.close()
        await self.client.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver.running() as receiver:
        yield receiver


@pytest.fixture
def limits() -> dict[str, float]:
    """Settings of the service that the test changes; a test module may say its own."""
    return {}


@pytest.fixture
def settings(database_url: str, limits: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", MASTER_KEY)
    monkeypatch.setenv("BELLTOWER_WEBHOOK_ALLOW", "127.0.0.0/8")
    return Settings(**limits)  # type: ignore[arg-type]


@pytest.fixture
async def webhooks(settings: Settings, receiver: Receiver) -> AsyncIterator[Webhooks]:
    assert settings.database_url is not None
    db = await Database.open(settings.database_url.get_secret_value(), size=5)
    runtime = Runtime(settings=settings, db=db, bus=MemoryBus(DeadLetterTable(db)))
    webhooks = Webhooks(runtime, receiver)
    await webhooks.set_up()
    try:
        yield webhooks
    finally:
        await webhooks.close()
        await runtime.bus.close()
        await db.close()
