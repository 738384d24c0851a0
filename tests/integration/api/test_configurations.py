"""Configurations and their numbers, by the account's key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.store import occurrences
from tests.builders import a_reminder, an_item, in_future
from tests.integration.api.conftest import Door

ROOT = "/api/reminder/configuration"
DEFAULT = f"{ROOT}/default/default"


async def test_b_002_a_new_configuration_shows_both_keys_once(visitor: Door) -> None:
    """C-1."""
    status, new = await visitor.call("POST", ROOT, {"agentId": "agent", "name": "Loans", "timezone": "Asia/Jakarta"})
    assert status == 201
    assert len(new["primaryKey"]) >= 32
    assert new["primaryKey"] != new["secondaryKey"]
    path = f"{ROOT}/agent/{new['configurationId']}"
    status, read = await visitor.call("GET", path)
    assert status == 200
    assert read == {name: value for name, value in new.items() if not name.endswith("Key")}
    assert (read["name"], read["channel"], read["serverState"]) == ("Loans", "sms", "running")
    for key in ("primaryKey", "secondaryKey"):
        response = await visitor.client.post(
            f"/api/reminder/agent/{new['configurationId']}/{key}?secret={new[key]}", json=a_reminder()
        )
        assert response.status == 201


async def test_ids_that_we_give_cannot_be_guessed(visitor: Door) -> None:
    """B-006: a miss says 404, so ids must not be countable."""
    _, one = await visitor.call("POST", ROOT, {"agentId": "agent"})
    _, two = await visitor.call("POST", ROOT, {"agentId": "agent"})
    assert one["configurationId"] != two["configurationId"]
    assert len(one["configurationId"]) >= 20


async def test_names_are_unique_per_account(visitor: Door) -> None:
    body = {"agentId": "agent", "configurationId": "c"}
    assert (await visitor.call("POST", ROOT, body))[0] == 201
    assert (await visitor.call("POST", ROOT, body))[0] == 409
    stranger = await visitor.another_account()
    assert (await visitor.call("POST", ROOT, body, key=stranger.api_key))[0] == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agentId": "configuration"}, "agentId"),
        ({"agentId": "item"}, "agentId"),
        ({"agentId": "ai"}, "agentId"),
        ({"agentId": "a/b"}, "agentId"),
        ({"agentId": ""}, "agentId"),
        ({"agentId": ".."}, "agentId"),
        ({"configurationId": "x\u0000"}, "configurationId"),
        ({"channel": "pigeon"}, "channel"),
        ({"timezone": "right/UTC"}, "timezone"),
        ({"graceSeconds": 0}, "graceSeconds"),
        ({"graceSeconds": True}, "graceSeconds"),
        ({"catchUp": "some"}, "catchUp"),
        ({"onUnknown": "ask"}, "onUnknown"),
        ({"name": "a\r\nb"}, "name"),
    ],
)
async def test_a_configuration_that_cannot_be_is_400(visitor: Door, change: dict[str, Any], field: str) -> None:
    status, refused = await visitor.call("POST", ROOT, {"agentId": "agent"} | change)
    assert (status, [problem["field"] for problem in refused["error"]["details"]]) == (400, [field])


async def test_an_update_changes_what_it_gives(visitor: Door) -> None:
    """C-1, B-061, B-264: the overrides of grace, catching up and unknown answers."""
    names = {"agentId": "agent", "configurationId": "c"}
    await visitor.call("POST", ROOT, names | {"name": "Loans", "graceSeconds": 60})
    change = {"channel": "whatsapp", "catchUp": "latest", "onUnknown": "retry", "timezone": "Asia/Jakarta"}
    status, changed = await visitor.call("PUT", ROOT, names | change)
    assert status == 200
    assert {name: changed[name] for name in change} == change
    assert (changed["name"], changed["graceSeconds"]) == ("Loans", 60)
    _, cleared = await visitor.call("PUT", ROOT, names | {"graceSeconds": None, "catchUp": None})
    assert (cleared["graceSeconds"], cleared["catchUp"], cleared["onUnknown"]) == (None, None, "retry")
    assert (await visitor.call("PUT", ROOT, {"agentId": "agent", "configurationId": "d"}))[0] == 404


async def test_a_configurations_zone_reads_naive_times(visitor: Door) -> None:
    """B-024."""
    await visitor.call("PUT", ROOT, {"agentId": "default", "configurationId": "default", "timezone": "Asia/Jakarta"})
    body = an_item(sendTimes=["2031-01-01T09:00:00"], timezone=...)
    _, item = await visitor.call("POST", "/api/reminder/item/create", body)
    assert (item["timezone"], item["nextSendTime"]) == ("Asia/Jakarta", "2031-01-01T02:00:00Z")


async def test_b_027_a_configuration_says_how_times_are_read_that_a_change_of_clocks_leaves_out_or_repeats(
    visitor: Door,
) -> None:
    names = {"agentId": "default", "configurationId": "default"}
    rules = {"dstGap": "before", "dstOverlap": "second", "lateBooking": "send_now"}
    _, changed = await visitor.call("PUT", ROOT, names | rules | {"timezone": "Europe/Berlin"})
    assert {name: changed[name] for name in rules} == rules
    _, kept = await visitor.call("PUT", ROOT, names | {"name": "Loans"})
    assert {name: kept[name] for name in rules} == rules
    spring, autumn = ("2031-03-30T02:30:00", "2031-03-30T01:00:00Z"), ("2031-10-26T02:30:00", "2031-10-26T01:30:00Z")
    for time, instant in (spring, autumn):
        body = an_item(f"item-{time[5:7]}", sendTimes=[time], timezone=...)
        _, item = await visitor.call("POST", "/api/reminder/item/create", body)
        assert (item["nextSendTime"], item["sendTimes"]) == (instant, [time])


async def test_b_031_the_same_request_is_the_same_however_its_times_are_read_by_now(visitor: Door) -> None:
    names = {"agentId": "default", "configurationId": "default"}
    body = an_item(sendTimes=["2031-03-30T02:30:00", "2031-05-01T09:00:00Z"], timezone="Europe/Berlin")
    assert (await visitor.call("POST", "/api/reminder/item/create", body))[0] == 201
    await visitor.call("PUT", ROOT, names | {"dstGap": "before"})
    assert (await visitor.call("POST", "/api/reminder/item/create", body))[0] == 200
    later = body | {"sendTimes": ["2031-03-30T02:31:00", "2031-05-01T09:00:00Z"]}
    assert (await visitor.call("POST", "/api/reminder/item/create", later))[0] == 409


async def test_c_3_a_webhook_url_is_set_changed_and_switched_off(visitor: Door) -> None:
    """C-3, B-271: the secret is shown when it is made, and never again."""
    names = {"agentId": "agent", "configurationId": "c"}
    url = "https://example.com/hook"
    status, new = await visitor.call("POST", ROOT, names | {"integrationSettings": {"webhookUrl": url}})
    assert (status, new["integrationSettings"]) == (201, {"webhookUrl": url})
    assert new["webhookSecret"].startswith("whsec_")
    _, kept = await visitor.call("PUT", ROOT, names | {"integrationSettings": {"webhookUrl": url}})
    assert (kept["integrationSettings"], "webhookSecret" in kept) == ({"webhookUrl": url}, False)
    _, untouched = await visitor.call("PUT", ROOT, names | {"name": "Loans", "integrationSettings": {}})
    assert untouched["integrationSettings"] == {"webhookUrl": url}
    _, changed = await visitor.call("PUT", ROOT, names | {"integrationSettings": {"webhookUrl": f"{url}/2"}})
    assert changed["webhookSecret"] != new["webhookSecret"]
    status, refused = await visitor.call(
        "PUT", ROOT, names | {"integrationSettings": {"webhookUrl": "http://10.0.0.1/"}}
    )
    assert (status, refused["error"]["details"][0]["field"]) == (400, "integrationSettings.webhookUrl")
    _, off = await visitor.call("PUT", ROOT, names | {"integrationSettings": {"webhookUrl": ""}})
    assert off["integrationSettings"] == {"webhookUrl": ""}
    assert await visitor.call("GET", f"{ROOT}/agent/c") == (200, off)


async def test_c_8_a_configuration_can_be_paused_and_resumed(door: Door) -> None:
    """B-265, C-8."""
    for verb, state in (("pause", "paused"), ("pause", "paused"), ("resume", "running")):
        status, told = await door.call("POST", f"{DEFAULT}/{verb}")
        assert (status, told["serverState"]) == (200, state)
        assert (await door.fetch("select state from configurations"))[0]["state"] == state


async def test_c_8_resuming_rings_for_what_waited(door: Door) -> None:
    """C-8: the schedulers look at once, and not only at their next look."""
    rung, ear = asyncio.Event(), await door.runtime.db.dedicated()
    try:
        await occurrences.listen_for_due(ear, rung.set)
        await door.call("POST", f"{DEFAULT}/pause")
        await ear.execute("select 1")  # what was notified until now has come
        assert not rung.is_set()
        await door.call("POST", f"{DEFAULT}/resume")
        async with asyncio.timeout(5):
            await rung.wait()
    finally:
        await ear.close()


async def test_c_8_a_pause_may_stand_in_the_body_too(door: Door) -> None:
    """B-265, C-8."""
    names = {"agentId": "default", "configurationId": "default"}
    for state in ("paused", "paused", "running"):
        status, told = await door.call("PUT", ROOT, names | {"serverState": state})
        assert (status, told["serverState"]) == (200, state)
        assert await door.call("GET", DEFAULT) == (200, told)
    await door.call("POST", f"{DEFAULT}/pause")
    assert (await door.call("PUT", ROOT, names | {"name": "Loans"}))[1]["serverState"] == "paused"
    status, refused = await door.call("PUT", ROOT, names | {"serverState": "off"})
    assert (status, refused["error"]["details"][0]["field"]) == (400, "serverState")
    _, new = await door.call("POST", ROOT, {"agentId": "agent", "serverState": "paused"})
    assert new["serverState"] == "paused"


async def test_c_10_the_numbers_count_by_status(door: Door) -> None:
    """C-10, B-261."""
    for n, status in enumerate(["active", "active", "completed", "cancelled", "expired"]):
        await door.reminder("POST", f"rem-{n}", a_reminder(sendTimes=[in_future(hours=1)]))
        await door.reminder("PUT", f"rem-{n}", {"status": status})
    await door.execute("update occurrences set due_at = now() where seq = 1 and state = 'scheduled'")
    await door.reminder("POST", "rem-5", a_reminder())
    await door.execute("update reminders set created_at = now() - interval '8 days' where external_id = 'rem-2'")
    status, numbers = await door.call("GET", f"{DEFAULT}/numbers")
    expected = {"total": 6, "active": 3, "pending": 2, "completed": 1, "expired": 1, "cancelled": 1, "recent": 5}
    assert (status, numbers) == (200, expected)


async def test_the_list_shows_every_configuration_of_the_account_alone(visitor: Door) -> None:
    await visitor.another_account()
    await visitor.call("POST", ROOT, {"agentId": "agent", "configurationId": "c"})
    _, told = await visitor.call("GET", ROOT)
    assert [item["agentId"] for item in told["items"]] == ["default", "agent"]
    assert not any("Key" in name for item in told["items"] for name in item)


async def test_a_configuration_goes_when_its_reminders_are_over(visitor: Door) -> None:
    names = {"agentId": "agent", "configurationId": "c"}
    await visitor.call("POST", ROOT, names)
    await visitor.call("POST", "/api/reminder/item/create", an_item() | names)
    status, refused = await visitor.call("DELETE", f"{ROOT}/agent/c")
    assert (status, refused["error"]["code"], refused["error"]["active"]) == (409, "configuration_in_use", 1)
    await visitor.call("PUT", "/api/reminder/item/update", {"id": "item-1", "status": "cancelled"} | names)
    assert await visitor.call("DELETE", f"{ROOT}/agent/c") == (204, None)
    assert (await visitor.call("GET", f"{ROOT}/agent/c"))[0] == 404
    assert (await visitor.call("DELETE", DEFAULT))[0] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/refresh-keys"),
        ("GET", "/numbers"),
        ("GET", "/templates"),
        ("GET", "/templates/t"),
        ("DELETE", "/templates/t"),
    ],
)
async def test_another_accounts_configuration_is_not_there(visitor: Door, method: str, path: str) -> None:
    """B-012: the same answer as for one that was never made."""
    stranger = (await visitor.another_account()).api_key
    names = {"agentId": "agent", "configurationId": f"c-{visitor.account.account_id}"}
    await visitor.call("POST", ROOT, names)
    url = f"{ROOT}/agent/{names['configurationId']}{path}"
    theirs, refused = await visitor.call(method, url, key=stranger)
    _, unknown = await visitor.call(method, f"{ROOT}/agent/never-made{path}", key=stranger)
    assert theirs == 404
    assert refused["error"]["code"] == unknown["error"]["code"] == "configuration_not_found"
    assert (await visitor.call("GET", f"{ROOT}/agent/{names['configurationId']}"))[0] == 200
