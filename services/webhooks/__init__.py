"""The webhook service: one signed delivery per event and endpoint, however hostile the receiver.

fanout    event → deliveries (rows), bodies rendered once
deliver   claim → sign → POST → record
upkeep    rescue, hold and resume, forget, backfill
client    the POST itself, with `vetting` of every address
formats   how a body looks
"""

from __future__ import annotations

import asyncio

from services.webhooks.client import WebhookClient
from services.webhooks.deliver import Deliverer
from services.webhooks.fanout import FanOut
from services.webhooks.upkeep import Upkeep
from services.webhooks.vetting import SystemLookup, Vetting, own_servers
from shared.bus.bus import WEBHOOK_EVENTS
from shared.runtime.keyring import Keyring
from shared.runtime.loops import run_ticks
from shared.runtime.runtime import Runtime


async def run(runtime: Runtime) -> None:
    """Serve until `runtime.stopping`; then take no more events, and drain for `settings.drain` seconds.

    A POST that is still open after that is left to its lease: it may arrive twice, with the same id.
    """
    settings, stopping = runtime.settings, runtime.stopping
    keyring = Keyring.from_settings(settings)
    client = await _client(runtime)
    fanout, deliverer, upkeep = FanOut(runtime), Deliverer(runtime, client, keyring), Upkeep(runtime)
    runtime.checks["broker"] = runtime.bus.ready
    await runtime.bus.consume(WEBHOOK_EVENTS, fanout.handle)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(deliverer.run())
            for name, tick in (
                ("rescue deliveries", upkeep.rescue),
                ("forget answers", upkeep.forget),
                ("backfill", upkeep.backfill),
            ):
                group.create_task(run_ticks(name, tick, stopping=stopping))
            await stopping.wait()
            await runtime.bus.stop_consuming(drain=settings.drain, queue=WEBHOOK_EVENTS)
    finally:
        await fanout.close()
        await client.close()


async def _client(runtime: Runtime) -> WebhookClient:
    settings, lookup = runtime.settings, SystemLookup()
    urls = [url.get_secret_value() for url in (settings.database_url, settings.bus_url) if url is not None]
    vetting = Vetting(settings.webhook_networks(), await own_servers(urls, lookup))
    return WebhookClient(vetting, concurrency=settings.webhook_concurrency, lookup=lookup)
