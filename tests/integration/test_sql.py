"""Every statement of the project is a constant of the store, and PostgreSQL has read each one."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from integration.sql_scan import (
    ROOT,
    Statement,
    calls_that_run_sql,
    loose_sql,
    other_files,
    runs_a_constant,
    statements,
    store_files,
)

BUILT_BY_THE_DATABASE = {"retention.py": {"row['statement']"}}
"""Statements that another statement returns, made of dates and of the catalogue's names: no caller's text in them."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


async def test_every_statement_fits_the_schema(connection: asyncpg.Connection) -> None:
    refused = [trouble for one in statements() if (trouble := await trouble_with(connection, one))]
    assert refused == []


async def trouble_with(connection: asyncpg.Connection, statement: Statement) -> str | None:
    try:
        await connection.prepare(statement.sql)
    except asyncpg.PostgresError as error:
        return f"{statement}: {type(error).__name__}: {error}"
    return None


def test_the_statements_are_found() -> None:
    found = {str(statement) for statement in statements()}
    assert {"shared.store.occurrences._CLAIM", "shared.store.retention._MISSING_DAYS"} <= found
    assert len(found) > 30


async def test_a_statement_that_does_not_fit_is_noticed(connection: asyncpg.Connection) -> None:
    wrong = Statement("shared.store.nowhere", "_WRONG", "select colour from reminders")
    assert "UndefinedColumnError" in (await trouble_with(connection, wrong) or "")


@pytest.mark.parametrize("path", store_files(), ids=named)
def test_the_store_runs_constants_and_nothing_that_is_put_together(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert loose_sql(source) == []
    run = {ast.unparse(call.args[0]) for call in calls_that_run_sql(source) if not runs_a_constant(call)}
    assert run <= BUILT_BY_THE_DATABASE.get(path.name, set())


def test_nothing_outside_the_store_runs_sql() -> None:
    found = {
        f"{named(path)}:{call.lineno}"
        for path in other_files()
        for call in calls_that_run_sql(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "body",
    [
        'await db.fetch("select 1 from reminders")',
        'await db.fetch(f"select 1 from {table}")',
        'await db.fetch("select 1 from %s" % table)',
        'await db.fetch("select 1 from {}".format(table))',
        'await db.fetch(_READ + f" order by {column}")',
        'sql = "delete from reminders"',
    ],
)
def test_sql_that_is_put_together_is_noticed(body: str) -> None:
    source = f"async def read(db, table, column):\n    {body}\n"
    assert loose_sql(source) != []


@pytest.mark.parametrize("argument", ["statement", "_READ + tail", "f'{_READ} {tail}'", "_READ.format(tail)"])
def test_running_anything_but_a_constant_is_noticed(argument: str) -> None:
    (call,) = calls_that_run_sql(f"async def read(db, statement, tail):\n    await db.fetch({argument})\n")
    assert not runs_a_constant(call)
