"""Questions about processes and ports."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Final

# Below the range that systems hand out to outgoing connections, so that a port is still free after a restart.
_PORTS: Final = range(15_000, 30_000)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, dead but not yet reaped ones included."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether process `pid` is alive and is the PostgreSQL server of the data folder `data`."""
    if not is_alive(pid) or not Path("/proc/self/cmdline").exists():
        return is_alive(pid)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # Its children write a title over these words, and a process that waits to be reaped has none.
    return os.fsencode(data) in words


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on. Raises RuntimeError after 100 taken ones."""
    for _ in range(100):
        port = secrets.choice(_PORTS)
        if is_free(port):
            return port
    raise RuntimeError("no free port on 127.0.0.1")
