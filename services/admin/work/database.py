"""One transaction on the deployment's database: that of DATABASE_URL, or the private one of a running `up`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

from services.ending import CannotRun
from services.running import run
from shared.runtime.embedded import running_dsn
from shared.runtime.logging import set_up_logging
from shared.runtime.settings import Settings, read_settings
from shared.store.database import Connection, Database
from shared.store.occurrences import database_now

T = TypeVar("T")


def in_transaction(work: Callable[[Connection, datetime], Awaitable[T]]) -> T:
    """Do `work` in one transaction; it is given the database's clock too."""
    return run(_in_transaction(admin_settings(), work))


async def _in_transaction(settings: Settings, work: Callable[[Connection, datetime], Awaitable[T]]) -> T:
    async with open_database(settings) as database, database.transaction() as tx:
        return await work(tx, await database_now(tx))


def admin_settings() -> Settings:
    """The settings, with what goes wrong logged for a person."""
    settings = read_settings()
    set_up_logging(settings.model_copy(update={"log_format": "console", "log_level": "error"}))
    return settings


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database for the time of the block. Raises `CannotRun` where there is none."""
    given = settings.database_url
    dsn = given.get_secret_value() if given is not None else running_dsn(settings.data_dir)
    if dsn is None:
        raise CannotRun(
            f"no database: set DATABASE_URL, or start `belltower up` on the data folder {settings.data_dir} "
            "(BELLTOWER_DATA_DIR names another)"
        )
    database = await Database.open(dsn, size=2, name="belltower admin")
    try:
        yield database
    finally:
        await database.close()
