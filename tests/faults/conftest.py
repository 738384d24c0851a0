"""What the fault tests share: a deployment of real processes, and reminders written straight to the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from shared.store.database import Database
from tests.rig.house import House, Trial, a_house, environment_for
from tests.rig.provider_server import ProviderServer


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer.running() as server:
        yield server


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, size=3)
    yield database
    await database.close()


@pytest.fixture
def environment(database_url: str, bus_url: str, provider: ProviderServer) -> dict[str, str]:
    """Of processes on the run's own servers, which nobody kills; short leases."""
    return environment_for(database_url, bus_url, provider)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for all tests that hurt Postgres or RabbitMQ; they run in the session's loop (`in_the_house`)."""
    async with a_house(tmp_path_factory.mktemp("house")) as built:
        yield built


@pytest_asyncio.fixture(loop_scope="session")
async def trial(house: House) -> AsyncIterator[Trial]:
    """This test's account in the house."""
    async with house.trial() as one:
        yield one


async def make_account(db: Database) -> tuple[UUID, UUID]:
    """An account and its configuration."""
    account, configuration = uuid4(), uuid4()
    async with db.transaction() as tx:
        await tx.execute("insert into accounts (id, name, created_at) values ($1, 'Acme', now())", account)
        await tx.execute(
            """insert into configurations (id, account_id, agent_id, configuration_id, name, created_at, updated_at)
               values ($1, $2, 'default', 'default', 'default', now(), now())""",
            configuration,
            account,
        )
    return account, configuration


async def schedule(db: Database, count: int, *, due_in: float, on_unknown: str | None = None) -> None:
    """So many reminders, all due at the same instant."""
    account, configuration = await make_account(db)
    async with db.transaction() as tx:
        await tx.execute(
            """with made as (
                   insert into reminders (id, account_id, configuration_id, door, external_id, channel, address,
                       template_name, text, schedule, tzdata_version, status, on_unknown, created_at, updated_at)
                   select gen_random_uuid(), $1, $2, 'integration', 'reminder ' || n, 'sms', '+6281234567890',
                       'greeting', 'Hello', '{}', '2026.6', 'active', $5, now(), now() from generate_series(1, $3) as n
                   returning id)
               insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at)
               select gen_random_uuid(), id, $1, 1, due, due from made,
                   lateral (select now() + $4::interval as due) as the_same_instant""",
            account,
            configuration,
            count,
            timedelta(seconds=due_in),
            on_unknown,
        )
