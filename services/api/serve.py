"""Runs the API as a service: listens until told to stop, then drains."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from aiohttp import web

from services.api.app import build_app
from shared.runtime.runtime import Runtime

log = structlog.get_logger()

KEEP_ALIVE: Final = 15.0
"""Seconds that an idle connection, or one that dawdles over its headers, is kept."""


async def run(runtime: Runtime) -> None:
    """Listen until `runtime.stopping`, go on for the readiness delay, let what is under way end, and return.

    Raises `BadSettings`, and `OSError` where the address is taken.
    """
    settings = runtime.settings
    runner = web.AppRunner(
        build_app(runtime), access_log=None, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=settings.drain
    )
    await runner.setup()
    warming = asyncio.create_task(runtime.db.warm())
    try:
        site = web.TCPSite(runner, settings.api_host, settings.api_port, reuse_port=True)
        await site.start()
        runtime.addresses["api"] = _url(settings.api_host, runner)
        log.info("listening", service="api", address=runtime.addresses["api"])
        await runtime.stopping.wait()
        await asyncio.sleep(settings.readiness_delay)
    finally:
        await warming
        await runner.cleanup()


def _url(host: str, runner: web.AppRunner) -> str:
    port = runner.addresses[0][1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
