"""Brings a database to this code's schema."""

from __future__ import annotations

import typer

from services.running import run
from shared.runtime.settings import BadSettings, read_settings
from shared.store import schema_version


def migrate_now() -> None:
    """`belltower migrate`. Raises `BadSettings`, and what the database raises."""
    settings = read_settings()
    if settings.database_url is None:
        raise BadSettings("DATABASE_URL: required here; `belltower up` migrates its own database by itself")
    changed = run(bring_up_to_date(settings.database_url.get_secret_value()))
    state = "is now" if changed else "was already"
    typer.echo(f"The database {state} at revision {schema_version.newest_known()}, the newest.")


async def bring_up_to_date(dsn: str) -> bool:
    """Migrate where that is needed; returns whether it was."""
    if await schema_version.is_current(dsn):
        return False
    from shared.store.migrate import migrate  # noqa: PLC0415 - Alembic costs a start a quarter of a second

    await migrate(dsn)
    return True
