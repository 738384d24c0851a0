"""Who runs the private server: we ourselves or, when we are root, a user with fewer rights."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.runtime.embedded.errors import CannotStart

_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Runner:
    """A user of this machine, never root."""

    uid: int
    gid: int

    def run(
        self, command: Sequence[str | Path], *, lines: str = "", timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs to its end, at most `timeout` seconds.

        In a session of its own: Ctrl-C reaches every process of the terminal's group, and the server must
        outlive our drain. With a bare environment: PGHOST and the like would change what the programs do.
        """
        identity: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if _we_are_root() else {}
        return subprocess.run(  # noqa: S603 - our own programs, no shell
            [str(word) for word in command],
            input=lines,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            umask=0o077,
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **identity,
        )

    def may_enter(self, folder: Path) -> bool:
        """Whether every folder on the way lets this user pass, by its mode; access lists are not read."""
        real = folder.resolve()
        return all(self.may(step, 0o1) for step in (real, *real.parents))

    def may(self, path: Path, wanted: int) -> bool:
        """Whether the path's mode gives this user all the `wanted` bits (4 read, 2 write, 1 enter or run)."""
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (found.st_mode >> shift) & wanted == wanted

    def give(self, path: Path) -> None:
        """Make this user the owner of a file or folder that we have just created."""
        if _we_are_root():
            os.chown(path, self.uid, self.gid)


def choose_runner(cluster: Path) -> Runner:
    """The owner of an existing cluster folder, else a fitting user. Raises CannotStart when there is none."""
    if not _we_are_root():
        if cluster.exists() and cluster.stat().st_uid != os.geteuid():
            raise CannotStart(
                f"{cluster} belongs to another user: start Belltower as the user who made it, or as root."
            )
        return Runner(os.geteuid(), os.getegid())
    if cluster.exists():
        found = cluster.stat()
        return Runner(found.st_uid, found.st_gid)
    for name in _USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(entry.pw_uid, entry.pw_gid)
    raise CannotStart("PostgreSQL does not run as root and there is no user `nobody` here: set DATABASE_URL instead.")


def _we_are_root() -> bool:
    return os.geteuid() == 0
