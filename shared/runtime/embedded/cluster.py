"""The life of the private server: started, adopted, stopped. Blocking; `start_postgres` is the async door."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shared.runtime.embedded.binaries import reachable_server
from shared.runtime.embedded.errors import CannotStart
from shared.runtime.embedded.home import find_or_make_home, lock_data_dir
from shared.runtime.embedded.making import make_data
from shared.runtime.embedded.processes import free_port, is_alive, is_free, is_postmaster
from shared.runtime.embedded.record import Record
from shared.runtime.embedded.runner import Runner
from shared.runtime.embedded.settings import SETTINGS

_START_WITHIN: Final = 20.0  # seconds: after a kill -9 the orphaned children of the old server have to go first
_LOG_LIMIT: Final = 10_000_000  # bytes


class Cluster:
    """One private server, its data and its password."""

    _record: Record
    _runner: Runner
    _programs: Path

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are added to SETTINGS; only tests give any up."""
        self.data_dir = data_dir
        self._settings = {**SETTINGS, **(settings or {})}
        self._lock: int | None = None

    @property
    def dsn(self) -> str:
        """The address of the `belltower` database, password included."""
        return self._record.dsn

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1; the same after a restart unless another program took it."""
        return self._record.port

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self._record.cluster_folder(self.data_dir) / "data"

    def start(self) -> None:
        """Start the server, or adopt one that was left. At most about 20 s; raises CannotStart."""
        if self._lock is None:
            self._lock = lock_data_dir(self.data_dir)
        try:
            self._record, self._runner = find_or_make_home(self.data_dir)
            self._prepare()
            if not self._adopt():
                self._launch()
        except BaseException:
            self.release()
            raise

    def stop(self) -> None:
        """Stop the server: fast for 5 s, then without a checkpoint for 3 s, then by force. Fine when stopped."""
        try:
            if not (self._stop("fast", 5) or self._stop("immediate", 3)):
                self.kill()
            self._remember(pid=0)
        finally:
            self.release()

    def kill(self) -> None:
        """Take the server away with SIGKILL, as a crash would. Fine when it is stopped."""
        if self.is_running():
            os.kill(self.pid(), signal.SIGKILL)

    def pid(self) -> int:
        """The process that the data folder's lock file names, dead or alive; 0 for none."""
        lines = self._lock_file()
        return int(lines[0]) if lines else 0

    def is_running(self) -> bool:
        """Whether a server has these data open."""
        return is_postmaster(self.pid(), self.data)

    def _prepare(self) -> None:
        """Find the programs, and make the data on the first start."""
        home = self._record.home_folder(self.data_dir)
        version = self.data / "PG_VERSION"
        major = version.read_text().strip() if version.exists() else None
        if major is None and self._record.initialised:
            raise CannotStart(f"{self.data_dir} has its database in {self.data}, which is gone: bring it back.")
        self._programs = reachable_server(self._runner, major, home) / "bin"
        if major is None:
            make_data(self._runner, self._programs, self.data, self._record.password)
        self._remember(initialised=True)

    def _adopt(self) -> bool:
        """Keep a server that an earlier process left running; stop one that does not answer."""
        if not self.is_running():
            return False
        port = self._lock_file()[3]
        question = (self._programs / "pg_isready", "-h", "127.0.0.1", "-p", port, "-t", "3")
        if self._runner.run(question, timeout=10).returncode != 0:
            self._stop("immediate", 3)
            self.kill()
            return False
        self._remember(pid=self.pid(), port=int(port))
        return True

    def _launch(self) -> None:
        log = self.data.with_name("log")
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.unlink()
        deadline = time.monotonic() + _START_WITHIN
        while True:
            port = self._choose_port()
            self._forget_reused_pid()
            if self._pg_ctl("start", "--log", log, "--options", self._options(port), patience=15):
                return self._remember(pid=self.pid(), port=port)
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL does not start; its log ends: {log.read_text()[-1000:].strip()}")
            time.sleep(0.2)

    def _choose_port(self) -> int:
        """The last one if it gets free within 1 s (a killed server takes a moment to let go), else another."""
        for _ in range(20 if self.port else 0):
            if is_free(self.port):
                return self.port
            time.sleep(0.05)
        return free_port()

    def _options(self, port: int) -> str:
        named = {**self._settings, "port": str(port)}
        return shlex.join(word for name, value in named.items() for word in ("-c", f"{name}={value}"))

    def _forget_reused_pid(self) -> None:
        """Drop a lock file whose process id went to another program: PostgreSQL would take that for a server.

        Children of a killed server still guard the data: a new one looks for their shared memory, too.
        """
        if is_alive(self.pid()) and not self.is_running():
            self.data.joinpath("postmaster.pid").unlink(missing_ok=True)

    def _stop(self, mode: str, patience: int) -> bool:
        return not self.is_running() or self._pg_ctl("stop", "--mode", mode, patience=patience)

    def _pg_ctl(self, verb: str, *words: str | Path, patience: int) -> bool:
        """Run pg_ctl and wait at most `patience` seconds for what it asks; whether it came true."""
        command = [
            self._programs / "pg_ctl",
            verb,
            "-D",
            self.data,
            "--wait",
            "--timeout",
            str(patience),
            *words,
        ]
        return self._runner.run(command, timeout=patience + 5).returncode == 0

    def _lock_file(self) -> list[str]:
        """Lines of postmaster.pid: process, folder, start time, port, …; none when no server was left."""
        try:
            return self.data.joinpath("postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _remember(self, **changes: Any) -> None:
        changed = replace(self._record, **changes)
        if changed != self._record:
            self._record = changed
            changed.save(self.data_dir)

    def release(self) -> None:
        """Let another process have the data folder; the server goes on."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
