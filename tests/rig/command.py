"""The `belltower` command as a person runs it: the installed script, in a folder and an environment of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

SCRIPT = Path(sysconfig.get_path("scripts")) / "belltower"
_OURS = ("BELLTOWER_", "DATABASE_URL", "BUS_URL")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's, without the settings of Belltower that it may hold, and with these."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | dict(settings)


def belltower(
    *words: str, cwd: Path, settings: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, at most 30 s."""
    return subprocess.run(
        [SCRIPT, *words],
        cwd=cwd,
        env=environment(settings or {}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder where another user can go, as the private server of root needs; those of pytest are closed."""
    with tempfile.TemporaryDirectory(prefix="belltower-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


class Up:
    """A running `belltower up` and all that it printed."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = {"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0", **(settings or {})}
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [SCRIPT, "up"],
            cwd=folder,
            env=environment(self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as printed:
            for line in printed:
                self._lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def wait_for(self, pattern: str, *, within: float = 30.0) -> re.Match[str]:
        """Wait until it has printed this. Raises `AssertionError` with what it printed instead."""
        deadline = time.monotonic() + within
        while (found := re.search(pattern, self.text, re.MULTILINE)) is None:
            assert time.monotonic() < deadline, self.text
            assert self._process.poll() is None or self._reader.is_alive(), self.text
            time.sleep(0.02)
        return found

    def started(self) -> Self:
        """Wait until it has told all that it tells at a start."""
        self.wait_for(r"message\.sent\"\]\}'$")
        return self

    @property
    def api(self) -> str:
        return self.wait_for(r"^  API +(http://\S+)$")[1]

    @property
    def ops(self) -> str:
        return self.wait_for(r"^  Probes +(http://\S+)/readyz")[1]

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT, *, within: float = 15.0) -> int:
        """Ask it to stop and return its exit code. Kills it, and raises, where it takes longer."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(self.text) from None
        finally:
            self._reader.join(5)
        return code


@contextmanager
def up(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Up]:
    """`belltower up` for the time of the block."""
    running = Up(folder, settings)
    try:
        yield running.started()
    finally:
        running.stop()
