"""One test's account: a client that writes down its answers, and the books that the checker compares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg

from services.api.core.accounts import create_account
from shared.store.database import Database
from tests.rig.checker import assert_holds
from tests.rig.client import Client, calling
from tests.rig.ledgers import Heard, Ledgers, provider_calls
from tests.rig.provider_server import Call, ProviderServer
from tests.rig.receiver import Receiver
from tests.rig.rows import read_rows, texts
from tests.rig.seeding import seed


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
        """Seconds until no send of this account that is due waits, and every event is published and delivered."""
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
                or exists (select from endpoints e join outbox x on x.account_id = e.account_id
                           and x.type = any(e.event_types) and x.at > e.created_at
                           left join deliveries d on d.endpoint_id = e.id and d.event_id = x.id
                           where e.account_id = $1 and d.id is null)
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
