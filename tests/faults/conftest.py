"""What the fault tests share: a house whose servers may be hurt, and accounts in it or beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.rig.house import House, a_house, environment_for
from tests.rig.provider_server import ProviderServer
from tests.rig.trial import Trial, trial_in


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer.running() as server:
        yield server


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


@pytest.fixture
async def own(database_url: str, provider: ProviderServer) -> AsyncIterator[Trial]:
    """An account on the run's own servers, for tests that start processes of their own; they set its targets."""
    async with trial_in(database_url, provider, list) as one:
        yield one
