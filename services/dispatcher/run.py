"""The dispatcher as a service: opens the providers, consumes `send.due`, drains when the process stops."""

from __future__ import annotations

import asyncio
from time import monotonic

import structlog

from services.dispatcher.dispatcher import Dispatcher
from services.dispatcher.look_up import LookingUp
from services.dispatcher.provider import OutgoingMessage
from services.dispatcher.recorder import Recorder
from services.dispatcher.routing import open_providers
from shared.bus.bus import SEND_DUE
from shared.runtime.loops import run_ticks
from shared.runtime.runtime import Runtime
from shared.store import sandbox
from shared.store.database import Database
from shared.store.sandbox import SandboxMessage

log = structlog.get_logger()


class SandboxTable:
    """What `registration.SandboxStore` asks for: messages kept in the database, for a person to look at."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def keep(self, message: OutgoingMessage) -> str:
        kept = SandboxMessage(
            key=message.idempotency_key,
            account_id=message.account_id,
            occurrence_id=message.occurrence_id,
            reminder_id=message.reminder_id,
            external_id=message.external_id,
            channel=message.channel.value,
            address=message.to,
            template=message.template,
            language=message.language,
            parameters=list(message.parameters),
            text=message.text,
            subject=message.subject,
            scheduled_for=message.scheduled_for,
        )
        async with self._db.connection() as db:
            return await sandbox.keep(db, kept)


async def run(runtime: Runtime) -> None:
    """Send what is due until the process stops."""
    settings = runtime.settings
    providers = open_providers(
        settings.providers(),
        SandboxTable(runtime.db),
        call_timeout=settings.provider_timeout,
        public_url=settings.public_url,
    )
    for channel in sorted(providers.unserved):
        log.warning("channel_unserved", channel=channel.value)
    recorder = Recorder(runtime)
    dispatcher = Dispatcher(runtime, providers, recorder)
    try:
        async with asyncio.TaskGroup() as group:
            # In the group: if recording breaks, the service breaks, and does not go on calling providers.
            recording = group.create_task(recorder.run(), name="recorder")
            looking = LookingUp(runtime, providers)
            asking = group.create_task(run_ticks("look_up", looking.tick, stopping=runtime.stopping), name="look_up")
            group.create_task(runtime.db.warm())
            await runtime.bus.consume(SEND_DUE, dispatcher.handle)
            runtime.checks["broker"] = runtime.bus.ready
            await runtime.stopping.wait()
            asking.cancel()  # a question can be asked again; a stop need not wait for its answer
            drained_by = monotonic() + settings.drain
            await runtime.bus.stop_consuming(drain=settings.drain, queue=SEND_DUE)
            await dispatcher.drain(max(0.0, drained_by - monotonic()))
            await recorder.finish(recording)
    finally:
        await providers.close()
