"""The four services as one process: migrated, greeted with the demo account and, on a first start, proved."""

from __future__ import annotations

import typer

from services import api, dispatcher, replayer, scheduler, webhooks
from services.demo import Demo, have_demo
from services.migrating import bring_up_to_date
from services.proof import NotProved, prove
from services.welcome import welcome
from shared.domain.recipient import Channel
from shared.runtime.loops import patiently, wait_any
from shared.runtime.process import Service, run_services
from shared.runtime.runtime import Runtime
from shared.runtime.settings import Settings


async def run_whole(settings: Settings) -> None:
    """Run until a signal. Raises what the database and failing services raise."""
    if settings.database_url is not None:
        await bring_up_to_date(settings.database_url.get_secret_value())
    services: dict[str, Service] = {
        "api": api.run,
        "scheduler": scheduler.run,
        "dispatcher": dispatcher.run,
        "webhooks": webhooks.run,
    }
    if settings.on_memory_bus:
        services["replayer"] = replayer.run
    await run_services(settings, services, whole=True, started=_greet)


async def _greet(runtime: Runtime) -> None:
    data_dir = runtime.settings.data_dir
    demo, is_new = await patiently(lambda: have_demo(runtime.db, data_dir), name="demo account")
    while "api" not in runtime.addresses:
        await wait_any(0.005, runtime.stopping)
    typer.echo(welcome(addresses=runtime.addresses, data_dir=data_dir, demo=demo))
    if is_new and runtime.settings.providers()[Channel.SMS] == "sandbox":  # another would send a real message
        await _show_proof(runtime, demo)


async def _show_proof(runtime: Runtime, demo: Demo) -> None:
    typer.echo("First start: one reminder, due in a second …")
    try:
        proof = await prove(runtime.addresses["api"], demo)
    except NotProved as problem:
        typer.echo(f"… {problem}; {runtime.addresses['ops']}/readyz may say why.", err=True)
        return
    late = proof.lateness.total_seconds() * 1000
    typer.echo(f"… {proof.reminder_id} was delivered by the sandbox provider, {late:.1f} ms after its time.")
