"""Which schema a database has, found without loading Alembic: that would cost every start a quarter of a second."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg

from shared.store.database import COMMAND_TIMEOUT, CONNECT_TIMEOUT

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_CURRENT: Final = "select version_num from alembic_version"


class NewerSchema(Exception):
    """The database was migrated by a newer Belltower than this one."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the database has schema {found}, and this Belltower knows {newest_known()} at the most")


def newest_known() -> str:
    """The revision that this code was written for: revisions are numbered files."""
    return max(file.stem.partition("_")[0] for file in _VERSIONS.glob("[0-9]*.py"))


async def found_revision(dsn: str) -> str | None:
    """The revision of a database; None where it has no schema. Raises the driver's errors."""
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT, command_timeout=COMMAND_TIMEOUT)
    try:
        found: str | None = await connection.fetchval(_CURRENT)
    except asyncpg.UndefinedTableError:
        return None
    else:
        return found
    finally:
        await connection.close(timeout=COMMAND_TIMEOUT)


async def is_current(dsn: str) -> bool:
    """Whether a database needs no migration. Raises `NewerSchema`, and the driver's errors."""
    found = await found_revision(dsn)
    if found is not None and found > newest_known():
        raise NewerSchema(found)
    return found == newest_known()
