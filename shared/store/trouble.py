"""The driver's errors in words for a person; none repeats an address or a password."""

from __future__ import annotations

import asyncpg

from shared.store.database import DatabaseAway, DatabaseError
from shared.store.schema_version import NewerSchema


def is_unmigrated(error: BaseException | None) -> bool:
    """Whether a statement failed because the schema is older than this code."""
    return isinstance(error, (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError))


def in_words(error: BaseException) -> str | None:
    """What is wrong with the database and what to do; None where it is another kind of error."""
    cause = error.__cause__ if isinstance(error, DatabaseAway) and error.__cause__ else error
    match cause:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "the database refuses the user or the password of DATABASE_URL"
        case asyncpg.InvalidCatalogNameError():
            return "the database that DATABASE_URL names does not exist on its server"
        case asyncpg.InsufficientPrivilegeError():
            return "the user of DATABASE_URL may not do this"
        case NewerSchema():
            return str(cause)
        case _ if is_unmigrated(cause):
            return "the database is not migrated: run `belltower migrate`"
        case DatabaseAway() | OSError() | asyncpg.PostgresConnectionError() | TimeoutError():
            return f"the database does not answer ({type(cause).__name__}): is DATABASE_URL right, and is it running?"
        case _ if isinstance(cause, DatabaseError):
            return f"the database refuses for now ({type(cause).__name__})"
    return None
