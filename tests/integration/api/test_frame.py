"""What every door shares: ids of requests, methods, unknown paths, outages, races, and how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from structlog.testing import capture_logs

import services.api
from services.api.core import reminders
from services.api.dialects.items import integration
from shared.domain.recipient import Channel
from shared.runtime.settings import Settings
from shared.store import sandbox
from shared.store.database import DatabaseAway
from tests.builders import a_reminder, an_item
from tests.integration.api.conftest import Door, open_door

ITEM = "/api/reminder/item"


async def test_every_answer_has_an_id_and_stays_out_of_caches(visitor: Door) -> None:
    """B-007: nor does its address travel on as a referrer."""
    for url in ("/", "/nowhere", f"{ITEM}/list", f"{visitor.base}/rem-1"):
        response = await visitor.client.get(url)
        assert len(response.headers["X-Request-Id"]) == 32
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_the_front_page_names_the_doors(visitor: Door) -> None:
    page = await (await visitor.client.get("/")).json()
    assert (page["name"], {"items", "integration"} <= {door["name"] for door in page["doors"]}) == ("belltower", True)


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/reminder/item", "/api/reminder/a/b/c/d", "/v2/campaigns"])
async def test_an_unknown_path_is_404_in_the_doors_shape(visitor: Door, path: str) -> None:
    """B-254, B-255."""
    response = await visitor.client.get(path)
    assert (response.status, (await response.json())["error"]["code"]) == (404, "path_not_found")


async def test_another_method_is_405_and_options_says_which(visitor: Door) -> None:
    response = await visitor.client.patch(f"{ITEM}/list")
    assert (response.status, (await response.json())["error"]["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
    response = await visitor.client.options(f"{ITEM}/list")
    assert (response.status, "GET" in response.headers["Allow"]) == (204, True)


async def test_head_answers_as_get_without_a_body(visitor: Door) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    response = await visitor.client.head(f"{visitor.base}/rem-1?secret={visitor.account.default.primary_key}")
    assert (response.status, await response.read()) == (200, b"")


async def test_near_neighbours_reach_their_own_door(visitor: Door) -> None:
    """B-254: the same number of segments, another proof."""
    for path, code in {
        "/api/reminder/item/list": 200,
        "/api/reminder/item/list/": 200,
        "/api/reminder/item/nobody": 404,
        "/api/reminder/configuration/default/default": 200,
        "/api/reminder/configuration/default/default/numbers": 200,
        "/api/reminder/default/default/list": 401,
        "/api/reminder/default/default/configuration": 401,
    }.items():
        assert (await visitor.call("GET", path))[0] == code, path


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """Exceptions that the next looks at a reminder raise."""
    errors: list[Exception] = []
    look = reminders.get_reminder

    async def get_reminder(*arguments: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return await look(*arguments)

    monkeypatch.setattr("services.api.dialects.items.integration.get_reminder", get_reminder)
    yield errors
    assert errors == []


async def test_a_bug_is_a_logged_500_without_insides(visitor: Door, breaking: list[Exception]) -> None:
    """B-255."""
    breaking.append(RuntimeError("canary"))
    with capture_logs() as lines:
        status, refused = await visitor.reminder("GET", "rem-1")
    assert (status, refused["error"]["code"]) == (500, "internal_error")
    assert "canary" not in str(refused)
    (line,) = [line for line in lines if line["event"] == "request_broke"]
    assert line["error"].startswith("RuntimeError at test_frame.py:")
    assert "canary" not in str(lines)


@pytest.mark.parametrize("error", [DatabaseAway("gone"), ConnectionResetError(), TimeoutError()])
async def test_a_database_that_is_away_is_503_and_worth_another_try(
    visitor: Door, breaking: list[Exception], error: Exception
) -> None:
    breaking.append(error)
    url = f"{visitor.base}/rem-1?secret={visitor.account.default.primary_key}"
    response = await visitor.client.get(url)
    assert (response.status, (await response.json())["error"]["code"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0


async def test_an_answer_never_takes_longer_than_the_deadline(visitor: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.dialect.DEADLINE", 0.2)

    async def dawdle(*_: Any) -> None:
        await asyncio.sleep(5)

    monkeypatch.setattr("services.api.dialects.items.integration.get_reminder", dawdle)
    assert (await visitor.reminder("GET", "rem-1"))[0] == 503


async def test_a_transaction_that_lost_a_race_is_made_again(visitor: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the lost one stays: the counter of events shows no gap."""
    lost = [asyncpg.DeadlockDetectedError(), asyncpg.SerializationError()]
    change = integration.change_reminder

    async def change_reminder(*arguments: Any, **named: Any) -> Any:
        changed = await change(*arguments, **named)
        if lost:
            raise lost.pop()
        return changed

    await visitor.reminder("POST", "rem-1", a_reminder())
    monkeypatch.setattr(integration, "change_reminder", change_reminder)
    status, item = await visitor.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert (status, lost, len(item["history"])) == (200, [], 2)
    lost = [asyncpg.DeadlockDetectedError() for _ in range(9)]
    assert (await visitor.reminder("PUT", "rem-1", {"status": "active"}))[0] == 503
    assert (await visitor.reminder("GET", "rem-1"))[1]["status"] == "cancelled"


async def test_two_changes_that_lock_each_other_out_both_go_through(door: Door) -> None:
    """A bulk request over many, and single changes against it, in every order."""
    ids = [f"item-{n}" for n in range(5)]
    for id in ids:
        await door.call("POST", f"{ITEM}/create", an_item(id))
    calls = []
    for n, id in enumerate(ids):
        status = "cancelled" if n % 2 else "active"
        calls.append(door.call("PUT", f"{ITEM}/update", {"id": id, "status": status}))
        action = {"action": "activate" if n % 2 else "cancel", "ids": ids[::-1] if n % 2 else ids}
        calls.append(door.call("POST", f"{ITEM}/bulk", action))
    answers = await asyncio.gather(*calls)
    assert {status for status, _ in answers} == {200}
    await door.events()


async def test_the_sandbox_shows_an_account_its_own_messages(door: Door) -> None:
    await door.call("POST", f"{ITEM}/create", an_item("rem-1"))
    (reminder,) = await door.fetch("select id from reminders")
    message = sandbox.SandboxMessage(
        key="k1",
        account_id=door.account.account_id,
        occurrence_id=uuid4(),
        reminder_id=reminder["id"],
        external_id="rem-1",
        channel=Channel.SMS.value,
        address="+6281234567890",
        template="greeting",
        language=None,
        parameters=["Ani"],
        text=None,
        subject=None,
        scheduled_for=(await door.fetch("select now() as now"))[0]["now"],
    )
    other = await door.another_account()
    async with door.runtime.db.transaction() as tx:
        await sandbox.keep(tx, message)
        await sandbox.keep(tx, replace(message, key="k2", account_id=other.account_id))
    status, told = await door.call("GET", "/sandbox/messages")
    (shown,) = told["messages"]
    assert (status, shown["key"], shown["reminder_id"], shown["to"]) == (200, "k1", "rem-1", "+6281234567890")
    assert shown["scheduled_for"].endswith("Z")
    assert shown["received_at"].endswith("Z")
    assert (await door.call("GET", "/sandbox/messages?limit=0"))[0] == 400
    assert (await door.client.get("/sandbox/messages")).status == 401


async def test_the_service_listens_on_a_free_port_and_answers_until_it_is_drained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLTOWER_API_PORT", "0")
    monkeypatch.setenv("BELLTOWER_READINESS_DELAY", "0.3")
    async with open_door(Settings()) as door, aiohttp.ClientSession() as session:
        service = asyncio.create_task(services.api.run(door.runtime))
        while "api" not in door.runtime.addresses:
            await asyncio.sleep(0.01)
        url = f"{door.runtime.addresses['api']}/"
        assert (await session.get(url)).status == 200
        door.runtime.stopping.set()
        await asyncio.sleep(0.1)
        assert (await session.get(url)).status == 200
        async with asyncio.timeout(5):
            await service
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)
