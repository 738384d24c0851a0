"""The whole service as it runs: off the bus, out to the receiver, and down again within its drain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from services import webhooks as service
from shared.runtime.settings import BadSettings, Settings

if TYPE_CHECKING:
    from conftest import Webhooks


@pytest.fixture
def limits() -> dict[str, float]:
    return {"drain": 0.5, "rescue_every": 0.2, "webhook_lease": 2.0, "webhook_timeout": 1.8}


@asynccontextmanager
async def running(webhooks: Webhooks) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(service.run(webhooks.runtime))
    try:
        await until(lambda: "broker" in webhooks.runtime.checks and webhooks.runtime.bus.ready())
        yield task
    finally:
        webhooks.runtime.stopping.set()
        await task


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.005)


async def test_an_event_on_the_bus_becomes_a_signed_post(webhooks: Webhooks) -> None:
    """B-271."""
    await webhooks.endpoint()
    async with running(webhooks):
        await webhooks.runtime.bus.publish([webhooks.message(webhooks.sent()) for _ in range(100)])
        await until(lambda: len(webhooks.receiver.ledger) == 100)
    assert len({received.headers["webhook-id"] for received in webhooks.receiver.ledger}) == 100
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"delivered"}
    assert len(await webhooks.attempts()) == 100


async def test_a_stop_does_not_wait_for_a_post_that_hangs_and_its_lease_brings_it_back(webhooks: Webhooks) -> None:
    await webhooks.endpoint("silent")
    async with running(webhooks) as task:
        await webhooks.runtime.bus.publish([webhooks.message(webhooks.sent())])
        await until(lambda: len(webhooks.receiver.ledger) == 1)
        began = time.monotonic()
        webhooks.runtime.stopping.set()
        await task
        assert time.monotonic() - began < 2
    assert (await webhooks.delivery())["state"] == "sending"
    webhooks.receiver.behave["/silent"] = "ok"
    webhooks.runtime.stopping.clear()
    async with running(webhooks):
        await until(lambda: len(webhooks.receiver.ledger) == 2)
    first, second = webhooks.receiver.ledger
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await webhooks.delivery())["state"] == "delivered"


async def test_a_healthy_endpoint_is_served_beside_silent_ones(webhooks: Webhooks) -> None:
    """W-12 at small size: while thirty others hang, it gets its deliveries at once."""
    await webhooks.endpoint("ok")
    for n in range(30):
        await webhooks.endpoint(f"silent?n={n}")
    async with running(webhooks):
        for turn in range(3):
            await webhooks.runtime.bus.publish([webhooks.message(webhooks.sent()) for _ in range(5)])
            await until(lambda wanted=(turn + 1) * 5: len(webhooks.receiver.at("/ok")) == wanted)


async def test_a_missing_master_key_stops_the_start(webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLTOWER_MASTER_KEY")
    webhooks.runtime.settings = Settings()
    with pytest.raises(BadSettings, match="BELLTOWER_MASTER_KEY"):
        await service.run(webhooks.runtime)
