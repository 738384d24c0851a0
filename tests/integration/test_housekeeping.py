"""What grows with time is kept in bounds, and nothing that is still needed goes with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from integration.sql_scan import statements

from services.scheduler.housekeeping import SOON, housekeep
from shared.domain.events import ContactCreated
from shared.store import outbox
from shared.store.database import Database
from shared.store.outbox import Recorded


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, size=5)
    yield opened
    await opened.close()


async def _partitions(db: Database) -> set[str]:
    async with db.connection() as connection:
        rows = await connection.fetch("select inhrelid::regclass::text as name from pg_inherits order by 1")
    return {row["name"] for row in rows}


async def _event(db: Database, at: datetime) -> None:
    async with db.transaction() as tx:
        await outbox.append(tx, [Recorded(ContactCreated(contact_id=uuid4()), uuid4(), at, 1)])


async def _make_day(db: Database, day: datetime) -> str:
    name, after = f"outbox_{day:%Y%m%d}", day + timedelta(days=1)
    async with db.transaction() as tx:
        await tx.execute(
            f"create table {name} partition of outbox for values from ('{day:%Y-%m-%d}') to ('{after:%Y-%m-%d}')"
        )
    return name


async def test_the_coming_days_have_partitions_before_they_begin(db: Database) -> None:
    """B-268, R-12: an event a second before midnight and one a second after it go where they belong."""
    await housekeep(db)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {f"outbox_{today + timedelta(days=ahead):%Y%m%d}" for ahead in (1, 2, 3)}
    assert await _partitions(db) >= days
    midnight = today + timedelta(days=2)
    for at in (midnight - timedelta(seconds=1), midnight, today - timedelta(days=400)):
        await _event(db, at)
    async with db.transaction() as tx:
        rows = await tx.fetch("select tableoid::regclass::text as name from outbox order by at")
        assert len(await outbox.take(tx, limit=10)) == 3
    assert [row["name"] for row in rows] == [
        "outbox_default",
        f"outbox_{today + timedelta(days=1):%Y%m%d}",
        f"outbox_{midnight:%Y%m%d}",
    ]


async def test_an_old_day_goes_only_once_all_its_events_are_published(db: Database) -> None:
    """B-02: a deployment that stood still, or had no broker, for longer than events are kept loses none."""
    old = datetime.now(UTC) - timedelta(days=9)
    name = await _make_day(db, old)
    await _event(db, old.replace(hour=12))
    await housekeep(db)
    assert name in await _partitions(db)
    async with db.transaction() as tx:
        await outbox.mark(tx, await outbox.take(tx, limit=10))
    await housekeep(db)
    assert name not in await _partitions(db)


async def test_housekeeping_never_makes_writers_wait_for_a_relay_that_waits_for_the_broker(db: Database) -> None:
    """C-7: what it cannot lock at once, it leaves for later, because all who write would queue up behind it."""
    await _event(db, datetime.now(UTC))
    async with db.transaction() as relaying:
        await outbox.take(relaying, limit=10)
        async with asyncio.timeout(1):
            assert await housekeep(db) == SOON
        await _event(db, datetime.now(UTC))


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("_DELETE_ANSWERS", "idempotency_keys_by_age"),
        ("_DELETE_DELIVERIES", "deliveries_by_age"),
        ("_DELETE_TRACES", "deleted_reminders_by_age"),
    ],
)
async def test_what_is_old_is_found_by_its_age_alone(db: Database, name: str, index: str) -> None:
    """Else each round reads the whole table, until it is too large for a statement's time and is never emptied."""
    (sql,) = [one.sql for one in statements() if one.name == name]
    async with db.transaction() as tx:
        await tx.execute("set local enable_seqscan = off")
        plan = await tx.fetchval("explain (format json) " + sql, timedelta(days=30), 5000)
    assert any(node.get("Index Name") == index and "Index Cond" in node for node in _nodes(json.loads(plan)[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(found for child in node.get("Plans", []) for found in _nodes(child))]
