"""A POST is under way, and its endpoint, its lease or its rival moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from services.api.core import endpoints
from services.webhooks.record import record

if TYPE_CHECKING:
    from conftest import Webhooks


async def test_a_rescue_waits_for_nothing_that_is_just_being_recorded(webhooks: Webhooks) -> None:
    """B-156: it takes what is free; two that lock many rows in different orders would end each other."""
    await webhooks.endpoint()
    await webhooks.happen(*(webhooks.sent() for _ in range(2)))
    await webhooks.execute(
        "update deliveries set state = 'sending', attempt = 1, attempt_id = gen_random_uuid(), lease_until = $1",
        webhooks.now,
    )
    first = (await webhooks.deliveries())[0]["id"]
    async with webhooks.runtime.db.transaction() as recording:
        await recording.execute("select from deliveries where id = $1 for update", first)
        async with asyncio.timeout(1):
            await webhooks.upkeep.rescue()
    assert sorted(delivery["state"] for delivery in await webhooks.deliveries()) == ["pending", "sending"]
    await webhooks.upkeep.rescue()
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"pending"}


@pytest.mark.parametrize("answer", ["ok", "status?code=500", "status?code=410"])
async def test_an_endpoint_that_is_switched_off_during_a_post_stays_off_and_holds_what_is_left(
    webhooks: Webhooks, answer: str
) -> None:
    """B-153."""
    endpoint, _ = await webhooks.endpoint(answer)
    await webhooks.happen()
    (run,) = await webhooks.deliverer.claim(webhooks.now) or []
    attempted = await webhooks.deliverer.attempt(run.waiting[0], run)
    assert attempted is not None
    await _switch(webhooks, endpoint, on=False)
    await record(webhooks.runtime.db, [attempted], now=webhooks.now)
    assert (await webhooks.delivery())["state"] == ("delivered" if answer == "ok" else "held")
    health = await webhooks.health(endpoint)
    assert (health["status"], health["disabled_reason"]) == ("disabled", "owner")
    assert await webhooks.events(endpoint) == ["endpoint.disabled"]
    await _switch(webhooks, endpoint, on=True)
    assert (await webhooks.delivery())["state"] == ("delivered" if answer == "ok" else "pending")


async def test_an_endpoint_that_is_deleted_during_a_post_leaves_nothing_to_write(webhooks: Webhooks) -> None:
    """B-153: and what is recorded in the same batch is written all the same."""
    gone, _ = await webhooks.endpoint("status?code=500")
    await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    runs = await webhooks.deliverer.claim(webhooks.now) or []
    ended = [await webhooks.deliverer.attempt(run.waiting[0], run) for run in runs]
    async with webhooks.runtime.db.transaction() as tx:
        await endpoints.delete_endpoint(tx, account_id=webhooks.account, id=gone)
    await record(webhooks.runtime.db, [one for one in ended if one is not None], now=webhooks.now)
    assert (await webhooks.delivery())["state"] == "pending"
    assert len(await webhooks.attempts()) == 1


async def test_of_many_claims_at_once_each_delivery_is_in_one(webhooks: Webhooks) -> None:
    """C-7."""
    for _ in range(10):
        await webhooks.endpoint()
    await webhooks.happen(*(webhooks.sent() for _ in range(5)))
    claims = await asyncio.gather(*(webhooks.deliverer.claim(webhooks.now) for _ in range(6)))
    claimed = [delivery.id for runs in claims for run in runs or [] for delivery in run.waiting]
    assert 0 < len(claimed) == len(set(claimed))


async def test_a_delivery_made_while_its_endpoint_is_switched_off_is_brought_in_line(webhooks: Webhooks) -> None:
    """B-153: whichever of the two commits first, nothing is sent, and nothing is forgotten."""
    endpoint, _ = await webhooks.endpoint()
    async with webhooks.runtime.db.transaction() as switching:
        await endpoints.change_endpoint(
            switching, webhooks.core, account_id=webhooks.account, id=endpoint, enabled=False, now=webhooks.now
        )
        making = asyncio.create_task(webhooks.happen())
        await asyncio.wait([making], timeout=0.2)
    await making
    assert await webhooks.tick() == 0
    await webhooks.upkeep.rescue()
    assert (await webhooks.delivery())["state"] == "held"
    await _switch(webhooks, endpoint, on=True)
    assert await webhooks.tick() == 1


async def _switch(webhooks: Webhooks, endpoint: UUID, *, on: bool) -> None:
    async with webhooks.runtime.db.transaction() as tx:
        await endpoints.change_endpoint(
            tx,
            webhooks.core,
            account_id=webhooks.account,
            id=endpoint,
            enabled=on,
            now=webhooks.now,
        )
