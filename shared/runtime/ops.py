"""Probes and metrics on a port of their own, for every service: /livez, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime import metrics
from shared.runtime.loops import AWAY
from shared.runtime.runtime import Runtime
from shared.store.lags import lags

log = structlog.get_logger()

PING_EVERY: Final = 1.0
PING_TIMEOUT: Final = 3.0
TURN_EVERY: Final = 0.25
STALLED_FROM: Final = 0.25
"""Seconds that the event loop may be late before it counts as standing still."""


class Ops:
    """Answers probes: alive as long as the loop turns, ready while every check passes and no stop has begun."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database_answers = False
        self._with_parked: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(_say_no_versions)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def watch_database(self) -> None:
        """Ping the database for ever: readiness answers from the last ping, never from a call that may hang."""
        while True:
            try:
                async with asyncio.timeout(PING_TIMEOUT), self._runtime.db.connection() as db:
                    found = await lags(db)
                self._database_answers = True
                metrics.OLDEST_DUE.set(found.oldest_due_occurrence)
                metrics.OLDEST_EVENT.set(found.oldest_unpublished_event)
                metrics.OLDEST_DELIVERY.set(found.oldest_due_delivery)
                metrics.LAST_PASS.set(found.last_pass)
                self._tell_of_parked(found.uncertain)
            except AWAY as error:
                if self._database_answers:
                    log.warning("database_away", probe="readyz", error=type(error).__name__)
                self._database_answers = False
            await asyncio.sleep(PING_EVERY)

    def _tell_of_parked(self, parked: Mapping[str, int]) -> None:
        """A provider that has none left is told as 0."""
        self._with_parked |= parked.keys()
        for provider in self._with_parked:
            metrics.UNCERTAIN.labels(provider).set(parked.get(provider, 0))

    async def watch_loop(self) -> None:
        """Count for ever how long the event loop stood still: while it does, nothing else here can say so."""
        while True:
            began = monotonic()
            await asyncio.sleep(TURN_EVERY)
            late = monotonic() - began - TURN_EVERY
            if late >= STALLED_FROM:
                metrics.LOOP_STALLED.inc(late)
                log.warning("loop_stalled", seconds=round(late, 2))

    def readiness(self) -> dict[str, bool]:
        """Each check by name. A stop makes the process unready at once."""
        checks = {"running": not self._runtime.stopping.is_set(), "postgres": self._database_answers}
        checks |= {name: check() for name, check in self._runtime.checks.items()}
        # The API stays ready without the broker, but its metrics tell.
        for name, passed in {"broker": self._runtime.bus.ready(), **checks}.items():
            metrics.READY.labels(name).set(passed)
        return checks

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readyz(self, _: web.Request) -> web.Response:
        checks = self.readiness()
        return web.json_response(
            {"ready": all(checks.values()), "checks": checks}, status=200 if all(checks.values()) else 503
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        self.readiness()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _say_no_versions(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Belltower"


@asynccontextmanager
async def serve_ops(runtime: Runtime) -> AsyncIterator[Ops]:
    """Serve the probes while the block runs."""
    ops = Ops(runtime)
    runner = web.AppRunner(ops.app(), access_log=None, keepalive_timeout=15, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, runtime.settings.ops_host, runtime.settings.ops_port).start()
    host, port = runner.addresses[0][:2]
    runtime.addresses["ops"] = f"http://{host}:{port}"
    log.info("ops_listening", address=runtime.addresses["ops"])
    watches = [asyncio.create_task(ops.watch_database()), asyncio.create_task(ops.watch_loop())]
    try:
        yield ops
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.wait(watches)
        await runner.cleanup()
