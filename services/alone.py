"""Runs one service as a process of its own, beside a Postgres and a RabbitMQ that others keep."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from typing import Final

from services.running import run
from shared.runtime.keyring import Keyring
from shared.runtime.logging import set_up_logging
from shared.runtime.process import Service, run_services
from shared.runtime.settings import Settings, read_settings

SERVICES: Final = ("api", "scheduler", "dispatcher", "webhooks")
_WITH_SECRETS: Final = frozenset({"api", "webhooks"})


def run_alone(name: str) -> None:
    """Run the service `name` until it is told to stop. Raises what wrong settings and a failing service raise."""
    settings = read_settings()
    set_up_logging(settings)
    run(_run(settings, name))


async def _run(settings: Settings, name: str) -> None:
    await check_settings(settings, [name])
    await run_services(settings, {name: load_service(name)}, whole=False)


def load_service(name: str) -> Service:
    """The service's own `run`. Loaded by name, so that a process pays for what it runs alone."""
    service: Service = importlib.import_module(f"services.{name}").run
    return service


async def check_settings(settings: Settings, names: Collection[str]) -> None:
    """Find what is wrong without asking any server, so that the start ends at once and not when it is needed.

    Raises `BadSettings` and `ProviderConfigurationError`.
    """
    if _WITH_SECRETS & set(names):
        Keyring.from_settings(settings)
    if "dispatcher" in names:
        checks = importlib.import_module("services.dispatcher.routing")
        providers = checks.open_providers(settings.providers(), None, call_timeout=settings.provider_timeout)
        await providers.close()
