"""The pool and the deadlines of every statement (`docs/decisions/` tells where each figure comes from).

A blackhole between us and Postgres must end in an error, never in a hang: acquire 1 s, connect 2.5 s and
command 2.5 s add up to less than the 8 s that a request may take.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
"""What every statement function takes first: a connection, in a transaction where it writes."""

DatabaseError = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, starting up, statement timeout
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.UndefinedTableError,  # not migrated yet: the migration is on its way
    asyncpg.UndefinedColumnError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection died between two steps of the driver (D-01)
    OSError,
    TimeoutError,
)
"""What a statement raises when Postgres is away, refuses for now or is too slow: the same again may work."""

ACQUIRE_TIMEOUT: Final = 1.0
CONNECT_TIMEOUT: Final = 2.5
COMMAND_TIMEOUT: Final = 2.5

_SERVER_SETTINGS: Final = {
    "timezone": "UTC",
    "jit": "off",
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "10",
}


class DatabaseAway(Exception):
    """No connection within the deadline: Postgres is away or the pool is used up."""


def _to_json(value: Any) -> str:
    """Text of a JSON value; bytes are JSON that was encoded already."""
    return (value if isinstance(value, bytes) else orjson.dumps(value)).decode()


async def _set_up(connection: asyncpg.Connection) -> None:
    # asyncpg's own UUIDs are a subclass, which orjson refuses.
    await connection.set_type_codec(
        "uuid",
        encoder=lambda value: value.bytes,
        decoder=lambda data: UUID(bytes=data),
        schema="pg_catalog",
        format="binary",
    )
    await connection.set_type_codec("jsonb", encoder=_to_json, decoder=json.loads, schema="pg_catalog")


class Database:
    """A pool of connections, each statement of which has a deadline."""

    def __init__(self, pool: asyncpg.Pool, dsn: str) -> None:
        self._pool = pool
        self._dsn = dsn

    @classmethod
    async def open(cls, dsn: str, *, size: int = 10, name: str = "belltower") -> Database:
        """Open a pool of up to `size` connections; connects only when one is asked for."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            max_inactive_connection_lifetime=0,
            server_settings={**_SERVER_SETTINGS, "application_name": name},
            init=_set_up,
        )
        return cls(pool, dsn)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading. Raises `DatabaseAway`."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT + CONNECT_TIMEOUT)
        except DatabaseError as error:
            raise DatabaseAway(type(error).__name__) from error
        try:
            yield connection
        finally:
            await self._pool.release(connection, timeout=COMMAND_TIMEOUT)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed when the block ends, rolled back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def warm(self, count: int = 3) -> None:
        """Open `count` connections now, so that the first reminder after a start does not wait for them.

        Where Postgres is away, they are opened when they are needed.
        """
        with suppress(DatabaseAway):
            async with AsyncExitStack() as stack:
                for _ in range(count):
                    await stack.enter_async_context(self.connection())

    async def dedicated(self) -> asyncpg.Connection:
        """A connection of the caller's own, outside the pool, for LISTEN; the caller closes it."""
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            server_settings={**_SERVER_SETTINGS, "application_name": "belltower listen"},
        )
        await _set_up(connection)
        return connection

    async def close(self) -> None:
        """Close every connection, by force after two seconds."""
        try:
            async with asyncio.timeout(2):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()
