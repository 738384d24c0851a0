"""Who may come in: secrets of configurations, keys of accounts, and the order in which a no is said."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.api.core.credentials import create_api_key, expire_credential
from shared.store import credentials
from tests.builders import a_reminder, an_item
from tests.integration.api.conftest import Door

CONFIGURATION = "/api/reminder/configuration/default/default"


@pytest.mark.parametrize("kind", ["primary_key", "secondary_key"])
async def test_b_001_either_key_of_the_configuration_opens(visitor: Door, kind: str) -> None:
    """B-001, B-002."""
    status, _ = await visitor.reminder("POST", "rem-1", a_reminder(), secret=getattr(visitor.account.default, kind))
    assert status == 201


@pytest.mark.parametrize("header", ["X-Reminder-Secret", "Authorization"])
async def test_b_007_the_secret_may_stand_in_a_header(visitor: Door, header: str) -> None:
    secret = visitor.account.default.primary_key
    value = f"Bearer {secret}" if header == "Authorization" else secret
    response = await visitor.client.post(f"{visitor.base}/rem-1", json=a_reminder(), headers={header: value})
    assert response.status == 201


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?secret=",
        "?secret=wrong",
        "?secret=a&secret=b",
        "?secret[]=a",
        "?secret=%C3%A9",
        "?secret=%00",
        "?secret=%ff",
        "?a=b&%73ecret=%00x",
        f"?secret={'x' * 5000}",
        "?Secret=wrong",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_b_004_a_missing_or_wrong_secret_is_401(visitor: Door, method: str, query: str) -> None:
    response = await visitor.client.request(method, f"{visitor.base}/rem-1{query}")
    assert response.status == 401
    assert (await response.json())["error"]["code"] == "unauthenticated"


PLACES = ["query", "X-Reminder-Secret", "Authorization"]


async def _present(door: Door, presented: dict[str, str]) -> int:
    """The status of a read by these values in these places."""
    headers = {place: value for place, value in presented.items() if place != "query"}
    if "Authorization" in headers:
        headers["Authorization"] = f"Bearer {headers['Authorization']}"
    params = {"secret": presented["query"]} if "query" in presented else {}
    return (await door.client.get(f"{door.base}/nothing", params=params, headers=headers)).status


@pytest.mark.parametrize(("right", "other"), list(permutations(PLACES, 2)))
async def test_b_007_whatever_is_given_must_be_right_wherever_it_stands(visitor: Door, right: str, other: str) -> None:
    """B-004, B-007."""
    account = visitor.account.default
    for wrong in ("wrong", "", account.secondary_key):
        assert await _present(visitor, {right: account.primary_key, other: wrong}) == 401
    assert await _present(visitor, {right: account.primary_key, other: account.primary_key}) == 404


async def test_a_right_secret_given_twice_is_401(visitor: Door) -> None:
    secret = visitor.account.default.primary_key
    assert (await visitor.reminder("GET", "rem-1", secret=f"{secret}&secret={secret}"))[0] == 401


async def test_b_005_an_unknown_configuration_or_agent_is_404(visitor: Door) -> None:
    for path in ("default/other", "other/default"):
        response = await visitor.client.get(f"/api/reminder/{path}/rem-1?secret={visitor.account.default.primary_key}")
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "configuration_not_found"


async def test_b_006_the_order_of_what_is_said(visitor: Door) -> None:
    """No secret, then the configuration, then the secret, then the reminder, then the body."""
    unknown = "/api/reminder/nobody/nothing/rem-1"
    assert (await visitor.client.put(unknown, data=b"{")).status == 401
    assert (await visitor.client.put(f"{unknown}?secret=wrong", data=b"{")).status == 404
    assert (await visitor.reminder("PUT", "rem-1", secret="wrong"))[0] == 401
    assert (await visitor.reminder("PUT", "rem-1", {"status": "nonsense"}))[0] == 404
    await visitor.reminder("POST", "rem-1", a_reminder())
    assert (await visitor.reminder("PUT", "rem-1", {"status": "nonsense"}))[0] == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_b_012_a_secret_opens_its_own_configuration_alone(visitor: Door, method: str) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    _, other = await visitor.call("POST", "/api/reminder/configuration", {"agentId": "agent", "configurationId": "c"})
    body: Any = {"PUT": {"status": "cancelled"}, "POST": a_reminder()}.get(method)
    assert (await visitor.reminder(method, "rem-1", body, secret=other["primaryKey"]))[0] == 401
    stranger = await visitor.another_account()
    assert (await visitor.reminder(method, "rem-1", body, secret=stranger.default.primary_key))[0] in {200, 201, 404}
    assert (await visitor.reminder("GET", "rem-1"))[1]["status"] == "active"


async def test_two_accounts_have_a_default_configuration_each_and_share_nothing(visitor: Door) -> None:
    """B-012: the same path, told apart by the key."""
    stranger = await visitor.another_account()
    await visitor.reminder("POST", "rem-1", a_reminder())
    status, _ = await visitor.reminder("GET", "rem-1", secret=stranger.default.primary_key)
    assert status == 404
    assert (await visitor.reminder("POST", "rem-1", a_reminder(), secret=stranger.default.primary_key))[0] == 201


@pytest.mark.parametrize("kind", ["primary", "secondary"])
async def test_b_003_refreshing_one_key_leaves_the_other(visitor: Door, kind: str) -> None:
    """B-008, C-2: the old value is dead at once."""
    status, fresh = await visitor.call("POST", f"{CONFIGURATION}/refresh-keys?keyType={kind}")
    old = {"primary": visitor.account.default.primary_key, "secondary": visitor.account.default.secondary_key}
    other = "secondary" if kind == "primary" else "primary"
    assert (status, set(fresh)) == (200, {"agentId", "configurationId", f"{kind}Key"})
    assert (await visitor.reminder("GET", "x", secret=fresh[f"{kind}Key"]))[0] == 404
    assert (await visitor.reminder("GET", "x", secret=old[other]))[0] == 404
    status, refused = await visitor.reminder("GET", "x", secret=old[kind])
    assert (status, refused["error"]["code"]) == (401, "credential_expired")


@pytest.mark.parametrize("kind", ["primary", "secondary"])
async def test_b_003_the_key_may_be_named_in_the_body(visitor: Door, kind: str) -> None:
    """B-008, C-2."""
    body = {"keyType": kind, "graceSeconds": 0}
    status, fresh = await visitor.call("POST", f"{CONFIGURATION}/refresh-keys", body)
    assert (status, set(fresh)) == (200, {"agentId", "configurationId", f"{kind}Key"})
    other = "secondary_key" if kind == "primary" else "primary_key"
    assert (await visitor.reminder("GET", "x", secret=getattr(visitor.account.default, other)))[0] == 404


@pytest.mark.parametrize(
    ("query", "body", "field"),
    [
        ("", {"keyType": "tertiary"}, "keyType"),
        ("", {"keytype": "primary"}, "keytype"),
        ("", {"type": "primary"}, "type"),
        ("", {"graceSeconds": -1}, "graceSeconds"),
        ("", {"graceSeconds": 604_801}, "graceSeconds"),
        ("", [], ""),
        ("?keytype=primary", None, "keytype"),
        ("?keyType=tertiary", None, "keyType"),
        ("?keyType=primary", {"keyType": "secondary"}, "keyType"),
    ],
)
async def test_b_003_a_refresh_that_is_mistyped_ends_no_key(visitor: Door, query: str, body: Any, field: str) -> None:
    """B-034."""
    status, refused = await visitor.call("POST", f"{CONFIGURATION}/refresh-keys{query}", body)
    assert (status, [problem["field"] for problem in refused["error"]["details"]]) == (400, [field])
    for secret in (visitor.account.default.primary_key, visitor.account.default.secondary_key):
        assert (await visitor.reminder("GET", "x", secret=secret))[0] == 404


async def test_b_008_a_grace_keeps_the_old_key_for_a_while(visitor: Door) -> None:
    """C-2: without a type both are made anew."""
    status, fresh = await visitor.call("POST", f"{CONFIGURATION}/refresh-keys?graceSeconds=60")
    assert (status, {"primaryKey", "secondaryKey"} <= set(fresh)) == (200, True)
    for secret in (visitor.account.default.primary_key, fresh["primaryKey"], fresh["secondaryKey"]):
        assert (await visitor.reminder("GET", "x", secret=secret))[0] == 404
    await visitor.call("POST", f"{CONFIGURATION}/refresh-keys")
    for secret in (visitor.account.default.primary_key, fresh["primaryKey"], fresh["secondaryKey"]):
        assert (await visitor.reminder("GET", "x", secret=secret))[0] == 401


@pytest.mark.parametrize("query", ["keyType=both", "graceSeconds=-1", "graceSeconds=1.5", "graceSeconds=9999999"])
async def test_a_refresh_that_makes_no_sense_is_400(visitor: Door, query: str) -> None:
    assert (await visitor.call("POST", f"{CONFIGURATION}/refresh-keys?{query}"))[0] == 400
    assert (await visitor.reminder("GET", "x"))[0] == 404


async def test_b_065_the_accounts_key_opens_the_items_door_in_either_header(visitor: Door) -> None:
    """B-253."""
    key = visitor.account.api_key
    for headers in ({"x-api-key": key}, {"Authorization": f"bearer {key}"}):
        assert (await visitor.client.get("/api/reminder/item/list", headers=headers)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "sk_live_wrong"},
        {"x-api-key": "é"},
        {"Authorization": "Basic c2tfbGl2ZV8="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer sk_live_wrong"},
    ],
)
async def test_b_065_the_items_door_is_shut_without_a_key(visitor: Door, headers: dict[str, str]) -> None:
    response = await visitor.client.post("/api/reminder/item/create", json=an_item(), headers=headers)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_each_door_takes_its_own_kind_of_key(visitor: Door) -> None:
    """B-253: no primary key at the items door, no account key at the integration door."""
    assert (await visitor.call("GET", "/api/reminder/item/list", key=visitor.account.default.primary_key))[0] == 401
    assert (await visitor.reminder("GET", "x", secret=visitor.account.api_key))[0] == 401


async def test_an_expired_account_key_is_401_and_another_goes_on(door: Door) -> None:
    async with door.runtime.db.transaction() as tx:
        another = await create_api_key(tx, account_id=door.account.account_id)
        listed = await credentials.list_all(tx, account_id=door.account.account_id)
        first = next(key for key in listed if key.kind == "api_key")
        await expire_credential(
            tx, account_id=door.account.account_id, credential_id=first.id, at=first.created_at + timedelta(0)
        )
    status, refused = await door.call("GET", "/api/reminder/item/list")
    assert (status, refused["error"]["code"]) == (401, "credential_expired")
    assert (await door.call("GET", "/api/reminder/item/list", key=another))[0] == 200


async def test_the_use_of_a_key_is_noted_at_most_once_a_minute(door: Door) -> None:
    async def used() -> Any:
        rows = await door.fetch("select last_used_at from credentials where kind = 'api_key'")
        return rows[0]["last_used_at"]

    assert await used() is None
    await door.call("GET", "/api/reminder/item/list")
    first = await used()
    await door.call("GET", "/api/reminder/item/list")
    assert first is not None
    assert await used() == first
    await door.execute("update credentials set last_used_at = last_used_at - interval '61 s'")
    await door.call("GET", "/api/reminder/item/list")
    assert await used() > first


async def test_b_007_no_secret_number_or_text_is_logged_or_kept(door: Door) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        await door.reminder("POST", "rem-canary", a_reminder())
        await door.reminder("GET", "rem-canary", secret="wrong-canary")
        await door.call("GET", "/api/reminder/item/list?phoneNumber=81234567890")
        await door.client.get("/nowhere/canary?secret=canary")
    written = json.dumps(lines, default=str)
    secrets = [door.account.api_key, door.account.default.primary_key, door.account.default.secondary_key]
    for canary in (*secrets, "canary", "81234567890", "Ani Wijaya", "1.500.000"):
        assert canary not in written
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert routes[0] == "/api/reminder/{agentId}/{configurationId}/{reminderId}"
    (reminder,) = await door.fetch("select id from reminders")
    first, second = [line for line in lines if line["event"] == "request"][:2]
    assert (first["account_id"], first["reminder_id"]) == (str(door.account.account_id), str(reminder["id"]))
    assert (len(first["request_id"]), "reminder_id" in second) == (32, False)
    kept = json.dumps(await door.fetch("select * from credentials"), default=str)
    assert not any(secret in kept for secret in secrets)
