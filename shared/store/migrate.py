"""Brings a database to the newest schema. Safe to start twice, and beside running services."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).parent / "migrations"


def _config(dsn: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    address = dsn.split("://", 1)[-1]
    config.set_main_option("sqlalchemy.url", f"postgresql+asyncpg://{address}".replace("%", "%%"))
    return config


def newest_revision() -> str:
    """The revision that this code was written for."""
    return ScriptDirectory.from_config(_config("")).get_current_head() or ""


async def migrate(dsn: str) -> None:
    """Run every revision that `dsn`'s database has not seen; another migrator's run is waited for.

    Raises the driver's errors where the database is away or refuses.
    """
    await asyncio.to_thread(command.upgrade, _config(dsn), "head")
