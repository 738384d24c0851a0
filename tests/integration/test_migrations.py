"""Migrating is safe to repeat and to race, and ends in the schema that is written down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

import shared.store
from rig.postgres import PostgresServer
from rig.schema_dump import dump
from shared.domain.webhook_body import REPORTED
from shared.store.migrate import migrate, newest_revision

STORE = Path(shared.store.__file__).parent
ROOT = STORE.parents[1]
REVISIONS = sorted((STORE / "migrations" / "versions").glob("[0-9]*.py"))

_serial = count(1)


@pytest.fixture
async def empty_database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database that no migration has seen."""
    name = f"unmigrated_{next(_serial)}"
    await run(postgres_server.dsn("postgres"), f"create database {name}")
    yield postgres_server.dsn(name)
    await run(postgres_server.dsn("postgres"), f"drop database {name} with (force)")


async def run(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        # Without arguments it takes several statements, and returns nothing.
        return await (connection.execute if ";" in statement else connection.fetchval)(statement)
    finally:
        await connection.close()


async def test_the_schema_that_is_written_down_is_the_migrated_one(database_url: str) -> None:
    written = STORE.joinpath("schema.sql").read_text(encoding="utf-8")
    assert await asyncio.to_thread(dump, database_url) == written, "run `make golden`"


async def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    await migrate(empty_database)
    once = await asyncio.to_thread(dump, empty_database)
    await run(empty_database, "insert into accounts (id, name, created_at) values (gen_random_uuid(), 'A', now())")
    await migrate(empty_database)
    assert await asyncio.to_thread(dump, empty_database) == once
    assert await run(empty_database, "select count(*) from accounts") == 1


async def test_two_migrators_at_once_both_succeed(empty_database: str) -> None:
    """As when two machines start: one migrates, the other waits and finds nothing left to do."""
    script = "import asyncio, sys; from shared.store.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
    migrators = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, empty_database, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    async with asyncio.timeout(30):
        said = [(await migrator.communicate())[1].decode() for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0, 0], said
    assert await run(empty_database, "select version_num from alembic_version") == newest_revision()


async def test_a_migrated_database_is_at_the_newest_revision(database_url: str) -> None:
    assert newest_revision() == REVISIONS[-1].name.split("_")[0]
    assert await run(database_url, "select version_num from alembic_version") == newest_revision()


async def test_c_4_webhook_urls_from_before_are_told_of_every_kind_of_attempt(database_url: str) -> None:
    await run(database_url, _OLD_WEBHOOK_URL)
    await run(database_url, STORE.joinpath("migrations/versions/0004_reported_events.sql").read_text(encoding="utf-8"))
    types = await run(database_url, "select event_types from endpoints where source = 'configuration'")
    assert types == list(REPORTED)
    assert await run(database_url, "select event_types from endpoints where source = 'manual'") == ["message.sent"]


_OLD_WEBHOOK_URL = """
insert into accounts (id, name, created_at) values ('00000000-0000-0000-0000-000000000001', 'A', now());
insert into configurations (id, account_id, agent_id, configuration_id, name, created_at, updated_at)
select id, id, 'default', 'default', 'default', now(), now() from accounts;
insert into endpoints (id, account_id, configuration_id, source, name, target_url, event_types, secret, created_at,
                       updated_at)
select gen_random_uuid(), id, case when source = 'manual' then null else id end, source, 'x', 'https://example.com/',
       '{message.sent}', '', now(), now() from accounts, unnest(array['configuration', 'manual']) as source;
"""


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda path: path.stem)
def test_a_revision_is_sql_and_goes_forward_only(revision: Path) -> None:
    assert revision.with_suffix(".sql").exists()
    assert "def downgrade" not in revision.read_text(encoding="utf-8")
