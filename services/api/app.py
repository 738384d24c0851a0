"""Builds the application: every dialect, mounted flat, what is said of them, and a front page. Nothing else."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from aiohttp import web

from services.api.callbacks.mount import mount_callbacks
from services.api.core.policy import Core
from services.api.dialect import House, mount
from services.api.dialects import DIALECTS
from services.api.limits import Limits
from services.api.observe import keep_private, observer
from services.api.openapi import POLICY, document, page
from services.api.responses import json_response
from shared.runtime.runtime import Runtime


def build_app(runtime: Runtime) -> web.Application:
    """The API over this runtime. Raises `BadSettings` where there is no master key."""
    house = House(
        db=runtime.db,
        core=Core.from_settings(runtime.settings),
        limits=Limits.from_settings(runtime.settings),
        written=runtime.events_written.set,
    )
    app = web.Application(middlewares=[observer(DIALECTS)])
    app.on_response_prepare.append(keep_private)
    app.router.add_get("/", _front_page)
    app.router.add_get("/openapi.json", _openapi)
    app.router.add_get("/docs", _docs)
    for dialect in DIALECTS:
        mount(app, dialect, house)
    mount_callbacks(app, runtime, public_url=runtime.settings.public_url)
    return app


async def _front_page(_: web.Request) -> web.Response:
    doors = [{"name": dialect.name, "path": dialect.prefix} for dialect in DIALECTS]
    about = {"name": "belltower", "version": version("belltower"), "doors": doors}
    return json_response(about | {"openapi": "/openapi.json", "docs": "/docs"})


@cache
def openapi() -> dict[str, Any]:
    """The document of all doors."""
    return document(DIALECTS, version=version("belltower"))


@cache
def _page() -> str:
    return page(openapi())


async def _openapi(_: web.Request) -> web.Response:
    return json_response(openapi())


async def _docs(_: web.Request) -> web.Response:
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY"}
    return web.Response(text=_page(), content_type="text/html", headers=headers)
