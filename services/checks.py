"""What can be found wrong at a start without asking any server, so that it ends at once and not when it is needed."""

from __future__ import annotations

import socket
from collections.abc import Collection
from typing import Final

from services.ending import CannotRun
from shared.runtime.keyring import Keyring
from shared.runtime.settings import NEEDS_BROKER, NEEDS_DATABASE, BadSettings, Settings

_WITH_SECRETS: Final = frozenset({"api", "webhooks"})


async def check_settings(settings: Settings, names: Collection[str], *, alone: bool = False) -> None:
    """What these services will read, every problem at once; `alone`: without the servers that `up` brings.

    Raises `BadSettings`.
    """
    problems = _missing_servers(settings) if alone else []
    if _WITH_SECRETS & set(names):
        try:
            Keyring.from_settings(settings)
        except BadSettings as error:
            problems.append(str(error))
    # The sandbox has no settings, and loading the providers takes a while.
    if "dispatcher" in names and set(settings.providers().values()) != {"sandbox"}:
        problems += await _provider_problems(settings)
    if problems:
        raise BadSettings("\n".join(problems))


def _missing_servers(settings: Settings) -> list[str]:
    problems = []
    if settings.database_url is None:
        problems.append(NEEDS_DATABASE)
    if settings.on_memory_bus:
        problems.append(NEEDS_BROKER)
    return problems


async def _provider_problems(settings: Settings) -> list[str]:
    from services.dispatcher.registration import ProviderConfigurationError  # noqa: PLC0415
    from services.dispatcher.routing import open_providers  # noqa: PLC0415

    class NoStore:
        async def keep(self, message: object) -> str:
            raise NotImplementedError

    try:
        providers = open_providers(settings.providers(), NoStore(), call_timeout=settings.provider_timeout)
    except ProviderConfigurationError as error:
        return [str(error)]
    await providers.close()
    return []


def refuse_taken_ports(settings: Settings) -> None:
    """Two processes may share the API's port on purpose; two deployments must not by accident."""
    for name, host, port in (
        ("BELLTOWER_API", settings.api_host, settings.api_port),
        ("BELLTOWER_OPS", settings.ops_host, settings.ops_port),
    ):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except socket.gaierror:
                raise CannotRun(f"{name}_HOST is no address of this machine") from None
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise CannotRun(
                    f"cannot listen on {host}:{port} ({why}): set {name}_PORT, 0 for any free one"
                ) from None
