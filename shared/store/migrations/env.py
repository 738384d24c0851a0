"""Alembic's entry: one connection, one advisory lock, each revision's SQL in its own transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alembic import context
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ONE_MIGRATOR_AT_A_TIME: Final = 0x42454C4C  # "BELL"
_LOCK_TIMEOUT: Final = "2s"


def _migrate(connection: Connection) -> None:
    connection.execute(text(f"select pg_advisory_lock({_ONE_MIGRATOR_AT_A_TIME})"))
    connection.execute(text(f"set lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def _run() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_run())
