"""Runs one service as a process of its own, beside a Postgres and a RabbitMQ that others keep."""

from __future__ import annotations

import importlib

from services.checks import check_settings
from services.running import run
from services.spelling import warn_of_unknown_settings
from shared.runtime.logging import set_up_logging
from shared.runtime.process import Service, run_services
from shared.runtime.settings import Settings, read_settings


def run_alone(name: str) -> None:
    """Run the service `name` until it is told to stop. Raises what wrong settings and a failing service raise."""
    settings = read_settings()
    set_up_logging(settings)
    warn_of_unknown_settings()
    run(_run(settings, name))


async def _run(settings: Settings, name: str) -> None:
    await check_settings(settings, [name], alone=True)
    # Loaded by name: a process pays for what it runs alone.
    service: Service = importlib.import_module(f"services.{name}").run
    await run_services(settings, {name: service}, whole=False)
