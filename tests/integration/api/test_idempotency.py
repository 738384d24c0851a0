"""One answer for one `Idempotency-Key`, at every write of these doors (decision 4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import a_reminder, an_item
from tests.integration.api.conftest import Door

ITEM = "/api/reminder/item"
KEY = {"Idempotency-Key": "key-1"}


async def test_the_same_key_and_body_get_the_same_answer_once_more(door: Door) -> None:
    body = a_reminder()
    first = await door.reminder("POST", "rem-1", body, headers=KEY)
    await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert await door.reminder("POST", "rem-1", body, headers=KEY) == first
    assert first[0] == 201
    assert await door.events() == ["reminder.created", "reminder.cancelled"]


async def test_status_headers_and_body_come_back(visitor: Door) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    url = f"{visitor.base}/rem-1?secret={visitor.account.default.primary_key}"
    first = await visitor.client.delete(url, headers=KEY)
    again = await visitor.client.delete(url, headers=KEY)
    assert (first.status, again.status) == (204, 204)
    assert again.headers["Belltower-Cancel-Outcome"] == first.headers["Belltower-Cancel-Outcome"] == "prevented"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]


@pytest.mark.parametrize("other", ["body", "path", "method"])
async def test_the_same_key_for_another_request_is_409(visitor: Door, other: str) -> None:
    body = an_item()
    assert (await visitor.call("POST", f"{ITEM}/create", body, headers=KEY))[0] == 201
    path = f"{ITEM}/update" if other == "method" else f"{ITEM}/bulk" if other == "path" else f"{ITEM}/create"
    method = "PUT" if other == "method" else "POST"
    changed = body | {"recipientName": "Budi"} if other == "body" else body
    status, refused = await visitor.call(method, path, changed, headers=KEY)
    assert (status, refused["error"]["code"]) == (409, "idempotency_key_reused")


async def test_a_twin_that_is_running_is_409_and_nothing_happens_twice(door: Door) -> None:
    async with door.runtime.db.transaction() as tx:
        name = f"{door.account.account_id} key-1"
        await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 4774451407313060419))", name)
        status, refused = await door.call("POST", f"{ITEM}/create", an_item(), headers=KEY)
        assert (status, refused["error"]["code"]) == (409, "idempotency_key_in_use")
    assert (await door.call("POST", f"{ITEM}/create", an_item(), headers=KEY))[0] == 201


async def test_of_fifty_twins_at_once_one_is_carried_out(door: Door) -> None:
    body = {"agentId": "agent"}
    calls = (door.call("POST", "/api/reminder/configuration", body, headers=KEY) for _ in range(50))
    answers = await asyncio.gather(*calls)
    assert {status for status, _ in answers} <= {201, 409}
    made = {answer["configurationId"] for status, answer in answers if status == 201}
    assert len(made) == 1
    assert len(await door.fetch("select 1 from configurations")) == 2


async def test_a_refusal_is_not_kept(visitor: Door) -> None:
    assert (await visitor.call("POST", f"{ITEM}/create", an_item(sendTimes=[]), headers=KEY))[0] == 400
    assert (await visitor.call("POST", f"{ITEM}/create", an_item(), headers=KEY))[0] == 201


async def test_answers_are_kept_for_a_day(door: Door) -> None:
    body = {"id": "item-1", "recipientName": "Budi"}
    await door.call("POST", f"{ITEM}/create", an_item())
    await door.call("PUT", f"{ITEM}/update", body, headers=KEY)
    await door.execute("update idempotency_keys set created_at = created_at - interval '24 hours 1 second'")
    status, _ = await door.call("PUT", f"{ITEM}/update", body | {"recipientName": "Cici"}, headers=KEY)
    assert status == 200


async def test_accounts_do_not_share_keys(visitor: Door) -> None:
    stranger = (await visitor.another_account()).api_key
    body = an_item()
    assert (await visitor.call("POST", f"{ITEM}/create", body, headers=KEY))[0] == 201
    assert (await visitor.call("POST", f"{ITEM}/create", body, headers=KEY, key=stranger))[0] == 201


async def test_secrets_in_kept_answers_cannot_be_read_in_the_database(door: Door) -> None:
    _, new = await door.call("POST", "/api/reminder/configuration", {"agentId": "agent"}, headers=KEY)
    _, again = await door.call("POST", "/api/reminder/configuration", {"agentId": "agent"}, headers=KEY)
    assert again == new
    (kept,) = await door.fetch("select body from idempotency_keys")
    assert new["primaryKey"].encode() not in kept["body"]
    assert b"primaryKey" not in kept["body"]


async def test_the_type_of_a_refreshed_key_belongs_to_the_request(visitor: Door) -> None:
    path = "/api/reminder/configuration/default/default/refresh-keys"
    assert (await visitor.call("POST", f"{path}?keyType=primary", headers=KEY))[0] == 200
    assert (await visitor.call("POST", f"{path}?keyType=secondary", headers=KEY))[0] == 409


@pytest.mark.parametrize("headers", [{"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 256}, {"Idempotency-Key": "é"}])
async def test_a_key_has_1_to_255_printable_characters(visitor: Door, headers: dict[str, Any]) -> None:
    status, refused = await visitor.call("POST", f"{ITEM}/create", an_item(), headers=headers)
    assert (status, refused["error"]["details"][0]["field"]) == (400, "Idempotency-Key")


async def test_a_key_given_twice_is_400(visitor: Door) -> None:
    headers = [("x-api-key", visitor.account.api_key), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = await visitor.client.post(f"{ITEM}/create", json=an_item(), headers=headers)
    assert response.status == 400
