"""Runs the API as a service: listens until told to stop, then drains."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiohttp import web

from services.api.app import build_app
from services.api.unreadable import HttpConnection
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
    warming = asyncio.create_task(runtime.db.warm())
    try:
        listening = await _listen(runner, settings.api_host, settings.api_port)
        try:
            runtime.addresses["api"] = _url(settings.api_host, listening)
            log.info("listening", service="api", address=runtime.addresses["api"])
            await runtime.stopping.wait()
            await asyncio.sleep(settings.readiness_delay)
        finally:
            listening.close()
    finally:
        await warming
        await runner.cleanup()


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
