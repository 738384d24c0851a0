"""A private PostgreSQL for `belltower up` and for the tests, from the binaries of the `embedded` extra.

The wheel's own start-up code is not used: as root it opens every parent folder to others. Here the server
listens on 127.0.0.1 alone and asks for a password, never runs as root, and no mode of a folder that is not
ours is changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from shared.runtime.embedded.cluster import Cluster
from shared.runtime.embedded.errors import CannotStart
from shared.runtime.embedded.processes import is_postmaster
from shared.runtime.embedded.record import Record

__all__ = ["CannotStart", "Cluster", "EmbeddedPostgres", "running_dsn", "start_postgres"]


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running private server."""

    cluster: Cluster

    @property
    def dsn(self) -> str:
        """The address of its `belltower` database, password included."""
        return self.cluster.dsn

    async def stop(self) -> None:
        """Stop it: a fast shutdown, and after 5 s a hard one. At most 10 s."""
        await asyncio.to_thread(self.cluster.stop)


async def start_postgres(data_dir: Path) -> EmbeddedPostgres:
    """Start the server that belongs to `data_dir`: made on the first start, adopted when left running.

    Raises CannotStart, with what to do about it in its message.
    """
    cluster = Cluster(data_dir)
    starting = asyncio.ensure_future(asyncio.to_thread(cluster.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        # A thread cannot be cancelled: let it end, so that Ctrl-C in the first second leaves no server.
        await asyncio.wait([starting])
        if starting.exception() is None:
            await asyncio.to_thread(cluster.stop)
        raise
    return EmbeddedPostgres(cluster)


def running_dsn(data_dir: Path) -> str | None:
    """The address of the server that a running `belltower up` keeps for `data_dir`; None when none runs.

    Raises CannotStart when others could read the file with the password.
    """
    record = Record.load(data_dir)
    if record is None or not is_postmaster(record.pid, record.cluster_folder(data_dir) / "data"):
        return None
    return record.dsn
