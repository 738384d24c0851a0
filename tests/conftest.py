"""Fixtures that every test may ask for: a database and a broker of its own, on servers that this run started."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from rig.broker import Broker, the_broker
from rig.postgres import PostgresServer, private_postgres

_serial = itertools.count(1)


def pytest_configure() -> None:
    """Let a time limit's TERM end the run as Ctrl-C does: the servers are stopped and their folders removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One private PostgreSQL for the run; quick, not durable. Tests that kill a server start their own."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres_server: PostgresServer) -> str:
    """The name of a migrated, empty database."""
    asyncio.run(_make_template(postgres_server))
    return "template_belltower"


async def _make_template(server: PostgresServer) -> None:
    await _administer(server, "create database template_belltower")
    # Found late: tests of single parts run without the whole system.
    migrations = importlib.import_module("shared.store.migrate")
    await migrations.migrate(server.dsn("template_belltower"))


@pytest.fixture
async def database_url(postgres_server: PostgresServer, template_database: str) -> AsyncIterator[str]:
    """The address of a migrated database that belongs to this test alone."""
    name = f"test_{next(_serial)}"
    await _administer(postgres_server, f"create database {name} template {template_database}")
    yield postgres_server.dsn(name)
    await _administer(postgres_server, f"drop database {name} with (force)")


async def _administer(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Broker]:
    """One broker for the run, started when a test first asks. Tests that kill a node start their own."""
    with the_broker() as broker:
        yield broker


@pytest.fixture
def bus_url(rabbitmq: Broker) -> str:
    """The address of an empty virtual host that belongs to this test alone."""
    return rabbitmq.fresh_url()


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a measured figure past pytest's capture: the README quotes these lines."""

    def show(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {text}\n")

    return show
