"""`belltower up`: all of Belltower in one process, with a database and keys of its own in the data folder.

The services' code, which takes a while to load, is loaded while the database starts.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import SecretStr

from services.checks import check_settings, refuse_taken_ports
from services.keepsakes import DEMO, keep_master_key, make_folder, read_private
from services.running import run
from services.spelling import warn_of_unknown_settings
from shared.runtime.embedded import EmbeddedPostgres, start_postgres
from shared.runtime.keyring import Keyring
from shared.runtime.logging import set_up_logging
from shared.runtime.settings import Settings, read_settings

_DEFAULTS: Final[Mapping[str, Any]] = {
    "log_format": "console",
    # A receiver on this machine is what a newcomer tries first.
    "webhook_allow": "127.0.0.0/8",
    # Nobody balances load over one process.
    "readiness_delay": 0.0,
}


def run_up() -> None:
    """Run until a signal. Raises what wrong settings, a taken data folder and failing services raise."""
    settings = _with_own_defaults(read_settings())
    set_up_logging(settings)
    warn_of_unknown_settings()
    run(_up(settings))


def _with_own_defaults(settings: Settings) -> Settings:
    unset = {name: value for name, value in _DEFAULTS.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=unset)


async def _up(settings: Settings) -> None:
    """Look for all that can be wrong before anything is started."""
    await check_settings(settings, ["dispatcher"])
    refuse_taken_ports(settings)
    make_folder(settings.data_dir)
    is_first = read_private(settings.data_dir / DEMO) is None
    if settings.master_key is None:
        settings = settings.model_copy(update={"master_key": SecretStr(keep_master_key(settings.data_dir))})
    Keyring.from_settings(settings)
    async with _database(settings, is_first=is_first) as dsn:
        from services.whole import run_whole  # noqa: PLC0415 - mostly loaded by now

        await run_whole(settings.model_copy(update={"database_url": SecretStr(dsn)}))


@asynccontextmanager
async def _database(settings: Settings, *, is_first: bool) -> AsyncIterator[str]:
    """The address of the given database, or of a private one for the time of the block."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = await _start_while_loading(settings, is_first=is_first)
    try:
        yield server.dsn
    finally:
        await server.stop()


async def _start_while_loading(settings: Settings, *, is_first: bool) -> EmbeddedPostgres:
    starting = asyncio.create_task(start_postgres(settings.data_dir))
    loading = asyncio.create_task(asyncio.to_thread(_load, with_alembic=is_first))
    try:
        return await starting
    finally:
        await asyncio.wait([loading])


def _load(*, with_alembic: bool) -> None:
    """Errors are left to those who need what did not load."""
    importlib.import_module("services.whole")
    if with_alembic:
        importlib.import_module("shared.store.migrate")
