"""Runs the API as a service: listens until told to stop, then drains."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiohttp import web

from services.api.app import build_app
from services.api.core.policy import Core
from services.api.rearming import Rearming
from services.api.rereading import Rereading
from services.api.unreadable import HttpConnection
from services.api.upkeep import Advancing
from shared.runtime import metrics
from shared.runtime.logging import where
from shared.runtime.loops import AWAY, Tick, run_ticks
from shared.runtime.runtime import Runtime

log = structlog.get_logger()

KEEP_ALIVE: Final = 15.0
"""Seconds that an idle connection, or one that dawdles over its headers, is kept."""

AFTER_A_BUG: Final = 5.0
"""Seconds until a duty that broke is tried again."""

LONGEST_LINE: Final = 32_768
"""Bytes of a request's first line. Three names of 255 characters fit, each twelve bytes when escaped (B-011)."""

LINGER: Final = 2.0
"""Seconds that a body which nobody wants any more is still read, so that its sender hears the answer."""

BACKLOG: Final = 1024
"""Connections that wait to be taken: a crowd that comes at once must not look like a server that is away."""


async def run(runtime: Runtime) -> None:
    """Listen until `runtime.stopping`, go on for the readiness delay, let what is under way end, and return.

    Raises `BadSettings`, and `OSError` where the address is taken.
    """
    settings = runtime.settings
    runner = web.AppRunner(build_app(runtime), shutdown_timeout=settings.drain)
    await runner.setup()
    try:
        listening = await _listen(runner, settings.api_host, settings.api_port)
        try:
            runtime.addresses["api"] = _url(settings.api_host, listening)
            log.info("listening", service="api", address=runtime.addresses["api"])
            async with asyncio.TaskGroup() as beside:
                _start_duties(beside, runtime)
                await runtime.stopping.wait()
                await asyncio.sleep(settings.readiness_delay)
        finally:
            listening.close()
    finally:
        await runner.cleanup()


def _start_duties(group: asyncio.TaskGroup, runtime: Runtime) -> None:
    """What runs beside the doors, and ends with them."""
    core = Core.from_settings(runtime.settings)
    group.create_task(runtime.db.warm())
    ticks: dict[str, Tick] = {
        "rearming": Rearming(runtime, core).tick,
        "advancing": Advancing(runtime, core).tick,
        "rereading": Rereading(runtime).tick,
    }
    for name, tick in ticks.items():
        group.create_task(run_ticks(name, _unbroken(name, tick), stopping=runtime.stopping))


def _unbroken(name: str, tick: Tick) -> Tick:
    """A duty in which a bug, or one row that breaks it, does not close the doors: it is told, and tried again."""

    async def once() -> float:
        try:
            return await tick()
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - the doors stay open
            log.error("duty_broke", duty=name, error=where(error))
            metrics.BROKEN_DUTIES.labels(name).inc()
            return AFTER_A_BUG

    return once


async def _listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    """As the library's own site does, but with connections of our kind."""
    loop, server = asyncio.get_running_loop(), runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")

    def connect() -> HttpConnection:
        return HttpConnection(
            server,
            loop=loop,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=LINGER,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=LONGEST_LINE,
        )

    return await loop.create_server(connect, host, port, reuse_port=True, backlog=BACKLOG)


def _url(host: str, listening: asyncio.Server) -> str:
    port = listening.sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
