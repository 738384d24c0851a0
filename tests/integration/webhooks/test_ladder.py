"""How often a delivery is tried, and when an endpoint is switched off: W-01 to W-04 of the fault catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from services.api.core import deliveries, endpoints
from services.webhooks.record import record
from shared.domain.endpoint import GAPS
from shared.domain.events import DeliveryExhausted

if TYPE_CHECKING:
    from conftest import Webhooks


async def test_w_01_eight_attempts_on_the_ladder_then_exhausted(webhooks: Webhooks) -> None:
    """B-156, B-161, B-162, B-163: one id, a fresh `t` for each attempt, gaps within 10 % of the ladder's."""
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    for gap in (*GAPS, None):
        before = webhooks.now
        assert await webhooks.tick() == 1
        if gap is None:
            break
        due_in = (await webhooks.delivery())["due_at"] - before
        assert 0.9 * gap <= due_in <= 1.1 * gap + timedelta(seconds=2)
        webhooks.now = before + 0.9 * gap - timedelta(seconds=1)
        assert await webhooks.tick() == 0, "earlier than 90 % of the gap"
        webhooks.now = before + due_in
    got = webhooks.receiver.ledger
    assert len(got) == 8
    assert len({received.headers["webhook-id"] for received in got}) == 1
    assert len({received.headers["webhook-timestamp"] for received in got}) == 8
    assert [received.headers["belltower-attempt"] for received in got] == [str(n) for n in range(1, 9)]
    assert len({received.body for received in got}) == 1
    assert [attempt["number"] for attempt in await webhooks.attempts()] == list(range(1, 9))
    assert {attempt["error"] for attempt in await webhooks.attempts()} == {"http_status"}
    assert (await webhooks.delivery())["state"] == "exhausted"
    assert await webhooks.tick(days=30) == 0
    assert await webhooks.events(endpoint) == ["delivery.exhausted"]


async def test_w_02_a_410_disables_at_once_and_holds_what_is_owed(webhooks: Webhooks) -> None:
    """B-163, B-164."""
    endpoint, _ = await webhooks.endpoint("status?code=410")
    await webhooks.happen(webhooks.sent(), webhooks.sent())
    await webhooks.tick()
    assert (await webhooks.health(endpoint))["status"] == "disabled"
    assert (await webhooks.health(endpoint))["disabled_reason"] == "gone"
    assert await webhooks.events(endpoint) == ["endpoint.disabled"]
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"held"}
    assert await webhooks.tick(days=1) == 0
    await webhooks.happen()
    assert [delivery["state"] for delivery in await webhooks.deliveries()] == ["held"] * 3


async def test_failed_attempts_and_switched_off_endpoints_are_logged_by_their_ids(webhooks: Webhooks) -> None:
    """B-007: neither the URL nor the body, the secret or the answer."""
    endpoint, secret = await webhooks.endpoint("status?code=500&canary=1")
    await webhooks.happen()
    with capture_logs() as lines:
        await webhooks.tick()
        failing = await webhooks.delivery()
        webhooks.receiver.behave["/status"] = "status?code=410"
        await webhooks.tick(hours=1)
    of = {"endpoint_id": str(endpoint), "delivery_id": str(failing["id"]), "error": "http_status"}
    said = {"event": "webhook_attempt_failed", "log_level": "warning", **of}
    assert lines == [
        {**said, "attempt": 1, "status": 500, "next_at": failing["due_at"].isoformat()},
        {**said, "attempt": 2, "status": 410, "next_at": None},
        {"event": "endpoint_disabled", "log_level": "warning", "endpoint_id": str(endpoint), "reason": "gone"},
    ]
    assert not any(canary in str(lines) for canary in (secret, "canary", "81234567890", "order-7"))


@pytest.mark.parametrize(("code", "after", "expected"), [(429, 90, 90), (503, 1, 60), (503, 9999, 120), (504, 75, 75)])
async def test_w_02_retry_after_is_honoured_between_one_gap_and_two(
    webhooks: Webhooks, code: int, after: int, expected: int
) -> None:
    """B-163."""
    await webhooks.endpoint(f"status?code={code}&after={after}")
    await webhooks.happen()
    await webhooks.tick()
    waits = ((await webhooks.delivery())["due_at"] - webhooks.now).total_seconds()
    assert expected <= waits <= expected + 2


async def test_w_02_retry_after_on_other_statuses_is_ignored(webhooks: Webhooks) -> None:
    """B-163."""
    await webhooks.endpoint("status?code=400&after=115")
    await webhooks.happen()
    await webhooks.tick()
    assert (await webhooks.delivery())["due_at"] - webhooks.now <= timedelta(seconds=68)


async def test_w_03_five_days_of_only_failures_disable_and_enabling_resumes(webhooks: Webhooks) -> None:
    """B-154, B-164: what was pending is held, not lost, and goes out when the endpoint is on again."""
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    await webhooks.tick()
    await webhooks.happen()
    await webhooks.tick(hours=119)
    assert (await webhooks.health(endpoint))["status"] == "active"
    await webhooks.happen()
    await webhooks.tick(hours=2)
    health = await webhooks.health(endpoint)
    assert (health["status"], health["disabled_reason"]) == ("disabled", "failing")
    assert await webhooks.events(endpoint) == ["endpoint.disabled"]
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"held"}
    webhooks.receiver.behave["/status"] = "ok"
    async with webhooks.runtime.db.transaction() as tx:
        await endpoints.enable_endpoint(tx, account_id=webhooks.account, id=endpoint, now=webhooks.now)
    for _ in range(3):
        await webhooks.tick(hours=3)
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"delivered"}


async def test_w_03_sporadic_failure_never_disables(webhooks: Webhooks) -> None:
    """B-164."""
    endpoint, _ = await webhooks.endpoint("ok")
    for day in range(20):
        webhooks.receiver.behave["/ok"] = "ok" if day % 4 == 0 else "status?code=500"
        await webhooks.happen()
        while await webhooks.tick():
            pass
        webhooks.now += timedelta(days=1)
    assert (await webhooks.health(endpoint))["status"] == "active"


async def test_w_03_twenty_exhausted_in_a_row_disable(webhooks: Webhooks) -> None:
    """B-164."""
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen(*(webhooks.sent() for _ in range(20)))
    await webhooks.execute("update deliveries set attempt = 7")
    for left in range(20, 0, -1):
        assert (await webhooks.health(endpoint))["exhausted_in_a_row"] == 20 - left
        assert await webhooks.tick() == 1
    health = await webhooks.health(endpoint)
    assert (health["status"], health["disabled_reason"]) == ("disabled", "exhausted")
    assert await webhooks.events(endpoint) == ["delivery.exhausted"] * 20 + ["endpoint.disabled"]


async def test_an_endpoint_never_hears_of_its_own_troubles(webhooks: Webhooks) -> None:
    """B-164: nor does losing such news make more of it."""
    watched, _ = await webhooks.endpoint("status?code=500", "delivery.exhausted", "endpoint.disabled")
    watching, _ = await webhooks.endpoint("status?code=500", "delivery.exhausted", "endpoint.disabled")
    lost = DeliveryExhausted(endpoint_id=watched, delivery_id=watched, event_id=watched, event_type="message.sent")
    await webhooks.happen(lost)
    assert (await webhooks.delivery())["endpoint_id"] == watching
    await webhooks.execute("update deliveries set attempt = 7")
    await webhooks.tick()
    assert (await webhooks.delivery())["state"] == "exhausted"
    assert await webhooks.events(watching) == []


@pytest.mark.parametrize("how", ["deleted", "disabled"])
async def test_w_04_no_attempt_follows_when_the_endpoint_is_gone_or_off(webhooks: Webhooks, how: str) -> None:
    """B-153: deleting an endpoint deletes its deliveries and their attempts."""
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    await webhooks.tick()
    async with webhooks.runtime.db.transaction() as tx:
        if how == "deleted":
            await endpoints.delete_endpoint(tx, account_id=webhooks.account, id=endpoint)
        else:
            await endpoints.change_endpoint(
                tx, webhooks.core, account_id=webhooks.account, id=endpoint, enabled=False, now=webhooks.now
            )
    assert await webhooks.tick(days=2) == 0
    assert len(webhooks.receiver.ledger) == 1
    left = await webhooks.deliveries()
    assert [delivery["state"] for delivery in left] == ([] if how == "deleted" else ["held"])
    assert len(await webhooks.attempts()) == len(left)


async def test_w_13_a_lost_worker_costs_at_most_one_extra_delivery_with_the_same_id(webhooks: Webhooks) -> None:
    """B-156: the receiver answered, the process died before it could write that down."""
    await webhooks.endpoint()
    await webhooks.happen()
    claimed = (await webhooks.deliverer.claim(webhooks.now) or [])[0]
    await webhooks.deliverer.attempt(claimed.waiting[0], claimed)
    await webhooks.upkeep.rescue(webhooks.now + timedelta(seconds=50))
    assert await webhooks.tick(seconds=50) == 0, "the lease still holds"
    await webhooks.upkeep.rescue(webhooks.now + timedelta(seconds=11))
    assert await webhooks.tick(seconds=11) == 1
    assert (await webhooks.delivery())["state"] == "delivered"
    first, second = webhooks.receiver.ledger
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert second.headers["belltower-attempt"] == "1"


async def test_a_worker_that_comes_back_too_late_changes_only_the_log(webhooks: Webhooks) -> None:
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    run = (await webhooks.deliverer.claim(webhooks.now) or [])[0]
    late = await webhooks.deliverer.attempt(run.waiting[0], run)
    assert late is not None
    webhooks.receiver.behave["/status"] = "ok"
    webhooks.now += timedelta(seconds=61)
    await webhooks.upkeep.rescue(webhooks.now)
    await webhooks.tick()
    await record(webhooks.runtime.db, [late, late], now=webhooks.now)
    assert (await webhooks.delivery())["state"] == "delivered"
    assert (await webhooks.health(endpoint))["failing_since"] is None
    assert len(await webhooks.attempts()) == 2


async def test_b_165_a_replay_starts_over_with_the_old_id(webhooks: Webhooks) -> None:
    """B-156, B-165."""
    endpoint, _ = await webhooks.endpoint("status?code=500")
    await webhooks.happen()
    await webhooks.execute("update deliveries set attempt = 7")
    await webhooks.tick()
    lost = await webhooks.delivery()
    assert lost["state"] == "exhausted"
    webhooks.receiver.behave["/status"] = "ok"
    async with webhooks.runtime.db.transaction() as tx:
        await deliveries.replay_delivery(
            tx, account_id=webhooks.account, endpoint_id=endpoint, id=lost["id"], now=webhooks.now
        )
    await webhooks.tick()
    assert (await webhooks.delivery())["state"] == "delivered"
    assert {received.headers["webhook-id"] for received in webhooks.receiver.ledger} == {str(lost["id"])}
    assert len({received.body for received in webhooks.receiver.ledger}) == 1


async def test_b_165_a_backfill_makes_what_is_missing_from_the_outbox(webhooks: Webhooks) -> None:
    """B-165: events from before the endpoint was made, each once, and what is there already stays."""
    webhooks.now = datetime.now(UTC) - timedelta(days=1)
    await webhooks.remember([webhooks.sent() for _ in range(450)])
    endpoint, _ = await webhooks.endpoint()
    for _ in range(2):
        async with webhooks.runtime.db.transaction() as tx:
            await deliveries.replay_range(
                tx,
                account_id=webhooks.account,
                endpoint_id=endpoint,
                start=webhooks.now - timedelta(hours=1),
                end=None,
                states=[],
                event_types=None,
                now=datetime.now(UTC),
            )
        while await webhooks.upkeep.backfill() == 0.0:
            pass
        assert len(await webhooks.deliveries()) == 450
