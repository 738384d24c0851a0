"""Builds the application: every dialect, mounted flat, and a front page. Nothing else."""

from __future__ import annotations

from importlib.metadata import version

from aiohttp import web

from services.api.core.policy import Core
from services.api.dialect import House, mount
from services.api.dialects import DIALECTS
from services.api.observe import observer
from services.api.responses import json_response
from shared.runtime.runtime import Runtime


def build_app(runtime: Runtime) -> web.Application:
    """The API over this runtime. Raises `BadSettings` where there is no master key."""
    house = House(db=runtime.db, core=Core.from_settings(runtime.settings), written=runtime.events_written.set)
    app = web.Application(middlewares=[observer(DIALECTS)])
    app.router.add_get("/", _front_page)
    for dialect in DIALECTS:
        mount(app, dialect, house)
    return app


async def _front_page(_: web.Request) -> web.Response:
    doors = [{"name": dialect.name, "path": dialect.prefix} for dialect in DIALECTS]
    return json_response({"name": "belltower", "version": version("belltower"), "doors": doors})
