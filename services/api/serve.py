"""Runs the API as a service: listens until told to stop, then drains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from services.api.app import build_app
from services.api.core.policy import Core
from services.api.rearming import Rearming
from services.api.rereading import Rereading
from services.api.unreadable import HttpConnection
from services.api.upkeep import Advancing
from shared.runtime.loops import run_ticks
from shared.runtime.runtime import Runtime

log = structlog.get_logger()

KEEP_ALIVE: Final = 15.0
"""Seconds that an idle connection, or one that dawdles over its headers, is kept."""


async def run(runtime: Runtime) -> None:
    """Listen until `runtime.stopping`, go on for the readiness delay, let what is under way end, and return.

    Raises `BadSettings`, and `OSError` where the address is taken.
    """
    settings = runtime.settings
    runner = web.AppRunner(build_app(runtime), shutdown_timeout=settings.drain)
    await runner.setup()
    try:
        async with _beside(runtime):
            listening = await _listen(runner, settings.api_host, settings.api_port)
            try:
                runtime.addresses["api"] = _url(settings.api_host, listening)
                log.info("listening", service="api", address=runtime.addresses["api"])
                await runtime.stopping.wait()
                await asyncio.sleep(settings.readiness_delay)
            finally:
                listening.close()
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _beside(runtime: Runtime) -> AsyncIterator[None]:
    """What runs beside the doors, and ends with them."""
    core = Core.from_settings(runtime.settings)
    rearming, advancing = Rearming(runtime, core), Advancing(runtime, core)
    duties = [
        asyncio.create_task(runtime.db.warm()),
        asyncio.create_task(run_ticks("rearming", rearming.tick, stopping=runtime.stopping)),
        asyncio.create_task(run_ticks("advancing", advancing.tick, stopping=runtime.stopping)),
        asyncio.create_task(run_ticks("rereading", Rereading(runtime).tick, stopping=runtime.stopping)),
    ]
    try:
        yield
    finally:
        if not runtime.stopping.is_set():  # the address was taken: they would never hear of an end
            for duty in duties:
                duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)


async def _listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    """As the library's own site does, but with connections of our kind."""
    loop, server = asyncio.get_running_loop(), runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")

    def connect() -> HttpConnection:
        return HttpConnection(server, loop=loop, keepalive_timeout=KEEP_ALIVE, access_log=None)  # type: ignore[arg-type]

    return await loop.create_server(connect, host, port, reuse_port=True, backlog=128)


def _url(host: str, listening: asyncio.Server) -> str:
    port = listening.sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
