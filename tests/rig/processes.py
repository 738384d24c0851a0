"""The services as processes of their own, as a deployment runs them: started, watched, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).parents[2]
START_WITHIN = 30.0
"""Wide: the servers, the tests and whoever else works on the machine share its cores."""
IN_A_TEST = {"BELLTOWER_OPS_PORT": "0", "BELLTOWER_API_PORT": "0", "BELLTOWER_READINESS_DELAY": "0"}
"""Any free port, and no waiting for a load balancer that is not there."""


class Process:
    """One service. Its log is a file of JSON lines that a failing test can show."""

    def __init__(self, service: str, environment: Mapping[str, str], log: Path) -> None:
        self.service, self.log = service, log
        self._environment = {**_clean_environment(), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, str] = {}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start it; `ready` waits until it works."""
        self._addresses = {}
        self._seen = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services", self.service],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def ready(self, *, within: float = START_WITHIN) -> Self:
        """Wait until its readiness probe is green. Raises `AssertionError` with its log where it ends before."""
        async with asyncio.timeout(within), aiohttp.ClientSession() as session:
            while True:
                assert self.alive, self.log.read_text()
                if await self.is_ready(session):
                    return self
                await asyncio.sleep(0.05)

    async def is_ready(self, http: aiohttp.ClientSession) -> bool:
        """Whether its readiness probe is green now."""
        address = self.address("ops_listening") if self.alive else None
        if not address:
            return False
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with http.get(f"{address}/readyz") as answer:
                return answer.status == 200
        return False

    async def metrics(self) -> dict[str, float]:
        """Its metrics by name and labels, as Prometheus writes them."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.address('ops_listening')}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def address(self, event: str) -> str | None:
        """Where it listens, from the first such log line of its present life."""
        if event not in self._addresses:
            found = next((line for line in self.lines() if line.get("event") == event), None)
            if found is None:
                return None
            self._addresses[event] = str(found["address"])
        return self._addresses[event]

    def lines(self) -> list[dict[str, Any]]:
        """The log lines of its present life."""
        text = self.log.read_bytes()[self._seen :].decode(errors="replace") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def kill(self) -> None:
        """kill -9, at whatever instruction it is."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it stands still and goes on believing whatever it believed."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal and do not wait."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self, *, within: float = 20.0) -> int:
        """SIGTERM, and its exit code; killed where it takes longer."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.ended(within=within)

    async def ended(self, *, within: float) -> int:
        """Its exit code, once it has ended by itself; killed where it takes longer."""
        assert self._process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._process.poll() is None:
                    await asyncio.sleep(0.02)
        if self._process.poll() is None:
            self.kill()
        return self._process.returncode


def _clean_environment() -> dict[str, str]:
    ours = ("BELLTOWER_", "DATABASE_URL", "BUS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@asynccontextmanager
async def running(
    services: Mapping[str, int], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[dict[str, list[Process]]]:
    """So many processes of each service, all ready; stopped at the end, whatever happened."""
    settings = {**IN_A_TEST, "BELLTOWER_DATA_DIR": str(folder), **environment}
    processes = {
        name: [Process(name, settings, folder / f"{name}-{number}.log") for number in range(count)]
        for name, count in services.items()
    }
    every = [process for group in processes.values() for process in group]
    try:
        await asyncio.gather(*(process.start().ready() for process in every))
        yield processes
    finally:
        await asyncio.gather(*(process.stop() for process in every))
