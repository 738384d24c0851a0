"""Making a new cluster's data, once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.runtime.embedded.errors import CannotStart
from shared.runtime.embedded.runner import Runner

_OPTIONS: Final = ("--username", "belltower", "--auth", "scram-sha-256", "--encoding", "UTF8")


def make_data(runner: Runner, programs: Path, data: Path, password: str) -> None:
    """Make a cluster with a role and a database `belltower`, synced to the disk. Raises CannotStart.

    It is made beside its place and moved there as the last step, so that a crash leaves no half of it.
    """
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    secret = data.with_name("password.new")
    secret.unlink(missing_ok=True)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    runner.give(secret)
    try:
        _run(
            runner,
            [programs / "initdb", "--pgdata", draft, "--pwfile", secret, *_OPTIONS, *_locale(programs)],
        )
    finally:
        secret.unlink()
    # The server's single-user mode needs neither a port nor the password.
    _run(runner, [programs / "postgres", "--single", "-D", draft, "postgres"], "CREATE DATABASE belltower\n")
    draft.rename(data)


def _locale(programs: Path) -> list[str]:
    """PostgreSQL 17 brought a locale of its own that lower-cases every letter on every machine."""
    has_builtin = programs.parent.name == "pginstall18"
    return ["--locale-provider", "builtin", "--locale", "C.UTF-8"] if has_builtin else ["--locale", "C"]


def _run(runner: Runner, command: Sequence[str | Path], lines: str = "") -> None:
    answer = runner.run(command, lines=lines, timeout=60)
    if answer.returncode != 0 or "ERROR:" in answer.stderr:
        raise CannotStart(f"PostgreSQL could not make its data: {answer.stderr.strip()[-1000:]}")
