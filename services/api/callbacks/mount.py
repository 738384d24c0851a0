"""Mounts the callbacks of the providers whose secrets are set; of the others there is no such path.

Whatever is the provider's own is answered 200, also what is nobody's or says nothing: to send it again would not help.
What is not signed is answered 403, and 503 asks for it once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from pydantic import ValidationError

from services.api.body import read_body
from services.api.callbacks import CALLBACKS
from services.api.callbacks.callback import Callback, Forged, Receiver, Unreadable
from services.api.dialect import DEADLINE
from services.api.error_body import render
from services.api.request_keys import REQUEST_ID
from shared.domain.refusal import Forbidden, Refusal, Refused, Unavailable
from shared.runtime import metrics
from shared.runtime.resolving import take_receipts
from shared.runtime.runtime import Runtime
from shared.runtime.settings import BadSettings, describe
from shared.store.database import DatabaseAway, DatabaseError

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.Response]]


def mount_callbacks(app: web.Application, runtime: Runtime, *, public_url: str | None) -> None:
    """Add the paths of all whose settings tell enough. Raises `BadSettings`."""
    for callback in CALLBACKS:
        try:
            receiver = callback.open(public_url)
        except ValidationError as error:
            raise BadSettings(describe(error, callback.settings)) from None
        if receiver is None:
            continue
        at = _Mounted(callback, receiver, runtime)
        for path in (callback.path, f"{callback.path}/"):
            app.router.add_post(path, _refusing(at.take, callback))
            if callback.challenged:
                app.router.add_get(path, _refusing(at.answer, callback))


@dataclass(frozen=True, slots=True)
class _Mounted:
    callback: Callback
    receiver: Receiver
    runtime: Runtime

    async def answer(self, request: web.Request) -> web.Response:
        """The word that the provider wants to hear."""
        return web.Response(text=self.receiver.challenge(request))

    async def take(self, request: web.Request) -> web.Response:
        """Write down what is reported; committed before it is answered."""
        body = await read_body(request, self.callback.body_limit)
        try:
            receipts = self.receiver.read(request, body)
        except Unreadable:
            metrics.RECEIPTS.labels(self.callback.name, "unreadable").inc()
            receipts = ()
        if receipts:
            async with asyncio.timeout(DEADLINE):
                policy = self.runtime.settings.policy()
                new = await take_receipts(self.runtime.db, receipts, how="callback", fallback=policy)
            if new:
                self.runtime.events_written.set()
        return web.Response(text="")


def _refusing(handle: Handler, callback: Callback) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        try:
            return await handle(request)
        except Forged:
            metrics.REFUSED_CALLBACKS.labels(callback.name).inc()
            return _refusal(request, Forbidden("signature_invalid", "The signature is missing or wrong."))
        except Refused as refusal:
            return _refusal(request, refusal)  # type: ignore[arg-type]
        except (DatabaseAway, *DatabaseError) as error:  # TimeoutError is one of them
            log.warning("database_away", callback=callback.name, error=type(error).__name__)
            return _refusal(request, Unavailable())

    return handler


def _refusal(request: web.Request, refusal: Refusal) -> web.Response:
    return render(refusal, request[REQUEST_ID])
