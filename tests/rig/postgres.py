"""A private PostgreSQL for tests, which may be killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from shared.runtime.embedded import Cluster

# What a test machine that loses power may lose: everything.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_COMMON = {"max_connections": "300", "max_wal_size": "2GB"}


@dataclass(frozen=True)
class PostgresServer:
    """A running private server; its port stays the same over restarts."""

    cluster: Cluster

    def dsn(self, database: str = "belltower") -> str:
        """The address of one of its databases."""
        return urlunsplit(urlsplit(self.cluster.dsn)._replace(path=f"/{database}"))

    @property
    def pid(self) -> int:
        return self.cluster.pid()

    def kill(self) -> None:
        """Kill -9 the server and wait, at most 5 s, until it is gone; its children may still be going."""
        self.cluster.kill()
        deadline = time.monotonic() + 5
        while self.cluster.is_running():
            assert time.monotonic() < deadline, "a killed PostgreSQL is still there"
            time.sleep(0.01)

    def fill_the_disk(self, *, leave: int = 0) -> Path:
        """Take all room but `leave` bytes; deleting the file that this returns gives it back."""
        ballast = self.cluster.data.parent / "ballast"
        room = os.statvfs(ballast.parent)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - leave)
        return ballast

    def stop(self) -> None:
        self.cluster.stop()

    def start(self) -> None:
        """Start it again on its port, waiting until the children of a killed server are gone."""
        port = self.cluster.port
        self.cluster.start()
        assert self.cluster.port == port, f"port {port} was taken while the server was down"


@contextmanager
def private_postgres(
    *, durable: bool = False, room: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A new server for the time of the block. Fault tests ask for a `durable` one; the others for a quick one.

    `room` in MB: on a disk of that size, in memory, which only root can mount. `settings` of PostgreSQL come last.
    """
    # Not a folder of pytest's: those are closed to the user who runs the server.
    folder = Path(tempfile.mkdtemp(prefix="belltower-postgres-"))
    if room is not None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}m", "belltower", folder], check=True)
    folder.chmod(0o711)
    cluster = Cluster(folder / "data", _COMMON | ({} if durable else _FAST) | dict(settings or {}))
    try:
        cluster.start()
        yield PostgresServer(cluster)
    finally:
        cluster.stop()
        if room is not None:
            subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder)
