"""The life of an endpoint over HTTP: off and on, rotation, test events, replay, a configuration's URL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from services.api.core.endpoints import set_configuration_webhook
from services.api.core.policy import Core
from services.webhooks.upkeep import Upkeep
from shared.domain.events import MessageSent
from shared.domain.refusal import Invalid
from shared.store import outbox
from shared.store.outbox import Recorded
from tests.integration.api.webhook_tools import GOOD, create, deliveries

if TYPE_CHECKING:
    from conftest import Door


async def test_b_154_change_disable_and_enable(door: Door) -> None:
    """B-164: switching off is told, holds what is owed; switching on lets it go."""
    id = (await create(door))["endpoint"]["id"]
    await deliveries(door, "pending", endpoint=id)
    status, body = await door.call("PATCH", f"/v1/webhooks/{id}", {"name": "New", "status": "disabled"})
    assert status == 200
    assert (body["endpoint"]["name"], body["endpoint"]["status"]) == ("New", "disabled")
    assert body["endpoint"]["disabled_reason"] == "owner"
    assert (await door.fetch("select state from deliveries"))[0]["state"] == "held"
    assert await door.events() == ["endpoint.disabled"]
    status, body = await door.call("POST", f"/v1/webhooks/{id}/test")
    assert (status, body["error"]["code"]) == (409, "ENDPOINT_DISABLED")
    status, body = await door.call("POST", f"/v1/webhooks/{id}/enable")
    assert (status, body["endpoint"]["status"]) == (200, "active")
    assert (await door.fetch("select state from deliveries"))[0]["state"] == "pending"


async def test_b_154_secrets_rotate_in_three_phases_in_order(door: Door) -> None:
    made = await create(door)
    path = f"/v1/webhooks/{made['endpoint']['id']}/rotate-secret"
    status, body = await door.call("POST", path, {"phase": "promote"})
    assert (status, body["error"]["code"]) == (409, "ROTATION_PHASE")
    status, body = await door.call("POST", path)
    assert status == 200
    assert body["signing_secret"] not in {"", made["signing_secret"]}
    assert body["endpoint"]["rotation"] == "staged"
    status, body = await door.call("POST", path, {"phase": "promote"})
    assert (body["endpoint"]["rotation"], "signing_secret" in body) == ("promoted", False)
    assert (await door.call("POST", path, {"phase": "stage"}))[0] == 409
    status, body = await door.call("POST", path, {"phase": "retire"})
    assert body["endpoint"]["rotation"] == "none"
    row = (await door.fetch("select next_secret from endpoints"))[0]
    assert row["next_secret"] is None


async def test_b_154_a_staged_secret_that_was_lost_can_be_staged_again(door: Door) -> None:
    made = await create(door)
    id = made["endpoint"]["id"]
    path = f"/v1/webhooks/{id}/rotate-secret"
    _, lost = await door.call("POST", path)
    status, again = await door.call("POST", path)
    assert (status, again["endpoint"]["rotation"]) == (200, "staged")
    assert len({made["signing_secret"], lost["signing_secret"], again["signing_secret"]}) == 3
    (row,) = await door.fetch("select account_id, id, secret, next_secret from endpoints")
    keyring = Core.from_settings(door.runtime.settings).keyring

    def opened(sealed: bytes) -> str:
        return keyring.open(sealed, account_id=row["account_id"], row_id=row["id"])

    assert [opened(row["secret"]), opened(row["next_secret"])] == [made["signing_secret"], again["signing_secret"]]


async def test_b_154_a_test_event_is_a_delivery_like_any_other(door: Door) -> None:
    """B-165: listed by state, and shown with its attempts."""
    id = (await create(door))["endpoint"]["id"]
    status, body = await door.call("POST", f"/v1/webhooks/{id}/test")
    assert status == 202
    delivery = body["delivery"]
    assert (delivery["event_type"], delivery["state"], delivery["attempts"]) == ("endpoint.test", "pending", 0)
    await deliveries(door, "exhausted", "delivered", endpoint=id)
    status, page = await door.call("GET", f"/v1/webhooks/{id}/deliveries?state=pending,exhausted&limit=1")
    assert (page["total"], page["limit"], page["offset"], len(page["deliveries"])) == (2, 1, 0, 1)
    await door.execute(
        """insert into delivery_attempts (id, delivery_id, number, started_at, duration, status_code, error, response)
           values (gen_random_uuid(), $1, 1, now(), interval '120 milliseconds', 500, 'http_status', 'no')""",
        UUID(delivery["id"]),
    )
    status, body = await door.call("GET", f"/v1/webhooks/{id}/deliveries/{delivery['id']}")
    shown = body["delivery"]
    assert (shown["payload"]["id"], shown["payload"]["type"]) == (delivery["id"], "endpoint.test")
    assert shown["attempt_log"][0]["status_code"] == 500
    assert shown["attempt_log"][0]["duration_ms"] == 120
    for wrong in ("state=lost", "limit=0", "limit=x", "offset=-1", "limit=1&limit=2"):
        status, _ = await door.call("GET", f"/v1/webhooks/{id}/deliveries?{wrong}")
        assert status == 400


async def test_b_165_replay_one_or_a_range(door: Door) -> None:
    """B-156: ids stay."""
    id = (await create(door))["endpoint"]["id"]
    await deliveries(door, "exhausted", "exhausted", "delivered", endpoint=id)
    rows = await door.fetch("select id from deliveries where state = 'delivered'")
    status, body = await door.call("POST", f"/v1/webhooks/{id}/replay", {"delivery_id": str(rows[0]["id"])})
    assert (status, body["delivery"]["state"], body["delivery"]["attempts"]) == (202, "pending", 0)
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    status, body = await door.call("POST", f"/v1/webhooks/{id}/replay", {"from": since})
    assert (status, body["replayed"], body["more"]) == (202, 2, False)
    assert body["backfill"]["status"] == "running"
    status, told = await door.call("GET", f"/v1/webhooks/{id}/backfills/{body['backfill']['id']}")
    assert (status, told["success"]) == (200, True)
    assert told["backfill"].items() >= {**body["backfill"], "endpoint_id": id, "deliveries": 0}.items()
    assert told["backfill"]["ended_at"] is None
    assert {row["state"] for row in await door.fetch("select state from deliveries")} == {"pending"}
    for wrong in (
        {},
        {"from": "yesterday"},
        {"from": since, "delivery_id": str(uuid4())},
        {"from": since, "states": []},
    ):
        status, _ = await door.call("POST", f"/v1/webhooks/{id}/replay", wrong)
        assert status == 400
    status, body = await door.call("POST", f"/v1/webhooks/{id}/replay", {"delivery_id": str(uuid4())})
    assert (status, body["error"]["code"]) == (404, "DELIVERY_NOT_FOUND")


async def test_b_165_a_backfill_is_done_when_it_has_made_what_was_missing(door: Door) -> None:
    """B-165: the id in the answer to a replay can be looked up."""
    id = (await create(door, event_types=["message.sent"]))["endpoint"]["id"]
    started_at = datetime.now(UTC)
    event = MessageSent(
        reminder_id=uuid4(),
        external_id="order-7",
        occurrence_id=uuid4(),
        channel="sms",
        attempt=1,
        scheduled_for=started_at,
        provider="sandbox",
        provider_message_id=None,
        sent_at=started_at,
    )
    async with door.runtime.db.transaction() as tx:
        await outbox.append(tx, [Recorded(event, door.account.account_id, started_at, 1)])
    since = (started_at - timedelta(hours=1)).isoformat()
    _, body = await door.call("POST", f"/v1/webhooks/{id}/replay", {"from": since})
    path = f"/v1/webhooks/{id}/backfills/{body['backfill']['id']}"
    await Upkeep(door.runtime).backfill()
    _, told = await door.call("GET", path)
    assert (told["backfill"]["status"], told["backfill"]["deliveries"]) == ("done", 1)
    assert told["backfill"]["ended_at"] >= told["backfill"]["created_at"]
    status, refused = await door.call("GET", f"/v1/webhooks/{id}/backfills/{uuid4()}")
    assert (status, refused["error"]["code"]) == (404, "BACKFILL_NOT_FOUND")
    other = (await create(door))["endpoint"]["id"]
    assert (await door.call("GET", path.replace(id, other)))[0] == 404


async def test_the_same_idempotency_key_makes_one_endpoint(door: Door) -> None:
    """B-150: the secret is shown again to the caller who asked for it, and is nowhere in the clear."""
    headers = {"Idempotency-Key": "k-1"}
    first = await door.call("POST", "/v1/webhooks", GOOD, headers=headers)
    assert first == await door.call("POST", "/v1/webhooks", GOOD, headers=headers)
    assert len(await door.fetch("select id from endpoints")) == 1
    secret = first[1]["signing_secret"].encode()
    assert all(secret not in row["body"] for row in await door.fetch("select body from idempotency_keys"))


async def test_c_3_a_configurations_url_is_set_changed_and_taken_away(door: Door) -> None:
    """C-3: another URL is another receiver, with a secret of its own."""
    core = Core.from_settings(door.runtime.settings)

    async def give(url: str | None) -> str | None:
        async with door.runtime.db.transaction() as tx:
            return await set_configuration_webhook(
                tx,
                account_id=door.account.account_id,
                configuration_id=door.account.default.id,
                url=url,
                keyring=core.keyring,
                networks=core.networks,
                now=datetime.now(UTC),
            )

    first = await give("https://example.com/a")
    assert first is not None
    assert await give("https://example.com/a") is None
    second = await give("https://example.com/b")
    assert second not in {None, first}
    _, listed = await door.call("GET", "/v1/webhooks")
    (endpoint,) = listed["endpoints"]
    assert (endpoint["source"], endpoint["target_url"]) == ("configuration", "https://example.com/b")
    status, body = await door.call("PATCH", f"/v1/webhooks/{endpoint['id']}", {"event_types": ["message.sent"]})
    assert (status, body["error"]["code"]) == (409, "ENDPOINT_OF_CONFIGURATION")
    with pytest.raises(Invalid) as refused:
        await give("http://10.0.0.1/")
    assert refused.value.problems[0].field == "integrationSettings.webhookUrl"
    assert await give("") is None
    assert (await door.call("GET", "/v1/webhooks"))[1]["endpoints"] == []
