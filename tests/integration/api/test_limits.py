"""Limits at every door: a 429 in its own shape and the time to wait; headers that tell no more than they must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.api.dialects import DIALECTS
from shared.runtime.settings import Settings
from tests.integration.api.conftest import Door, open_door

FAILURES = 5
PACE = 4


@dataclass(frozen=True)
class At:
    """A door, a path of it that exists, and where its error code stands."""

    path: str
    code: tuple[str, ...]
    limited: object
    header: str = "x-api-key"


DOORS = {
    "items": At("/api/reminder/item/list", ("error", "code"), "too_many_requests"),
    "integration": At("/api/reminder/default/default/x", ("error", "code"), "too_many_requests", "X-Reminder-Secret"),
    "campaigns": At("/v1/contacts", ("error", "code"), "RATE_LIMITED"),
    "crm": At("/api/reminders", ("error", "error_code"), 34),
    "appointments": At("/events/types", ("code",), "TOO_MANY_REQUESTS"),
    "sandbox": At("/sandbox/messages", ("error", "code"), "too_many_requests"),
}

door_named = pytest.mark.parametrize("name", [dialect.name for dialect in DIALECTS])


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[Door]:
    """A deployment with low limits behind a proxy on this machine."""
    limits = {"rate_limit": PACE, "failed_logins": FAILURES, "trusted_proxies": "127.0.0.0/8, ::1/128"}
    async with open_door(settings.model_copy(update=limits)) as door:
        yield door


async def ask(
    door: Door, at: At, key: str | None, *, address: str = "203.0.113.7", method: str = "GET"
) -> tuple[int, object, str]:
    """Status, code and `Retry-After`."""
    headers = {"X-Forwarded-For": address} | ({at.header: key} if key is not None else {})
    response = await door.client.request(method, at.path, headers=headers)
    told = await response.json()
    for name in at.code:
        told = told.get(name, {}) if isinstance(told, dict) else told
    return response.status, told, response.headers.get("Retry-After", "")


def good_key(door: Door, at: At) -> str:
    return door.account.api_key if at.header == "x-api-key" else door.account.default.primary_key


@door_named
async def test_b_093_a_key_that_asks_too_fast_is_told_when_to_come_again(strict: Door, name: str) -> None:
    at = DOORS[name]
    answers = [await ask(strict, at, good_key(strict, at)) for _ in range(5 * PACE + 5)]
    assert {status for status, _, _ in answers[: 5 * PACE]} <= {200, 404}
    assert (429, at.limited, "1") in answers[5 * PACE :]


@door_named
async def test_an_address_that_fails_too_often_is_slowed_down_and_a_right_key_is_not(strict: Door, name: str) -> None:
    """B-006: guesses that come too fast do not learn which configurations exist."""
    at = DOORS[name]
    wrong = [await ask(strict, at, key) for key in (None, "", "sk_live_wrong", "é", "x" * 3000)]
    assert {status for status, _, _ in wrong} == {401}
    assert len(wrong) == FAILURES
    assert await ask(strict, at, "sk_live_wrong") == (429, at.limited, "12")
    elsewhere = At("/api/reminder/nobody/nowhere/x", at.code, at.limited, at.header) if name == "integration" else at
    assert (await ask(strict, elsewhere, "sec_wrong"))[0] == 429
    assert (await ask(strict, at, good_key(strict, at)))[0] in {200, 404}
    assert (await ask(strict, at, "sk_live_wrong", address="203.0.113.8"))[0] == 401
    assert (await ask(strict, at, "sk_live_wrong", address="203.0.113.7, 203.0.113.9"))[0] == 401


async def test_a_write_that_is_refused_for_its_pace_writes_nothing(strict: Door) -> None:
    at = DOORS["items"]
    for _ in range(5 * PACE):
        await ask(strict, at, strict.account.api_key)
    body = {"name": "A", "type": "one_off", "body": "Hello"}
    statuses = [(await strict.call("POST", "/v1/campaigns", body))[0] for _ in range(5)]
    assert 429 in statuses
    assert len(await strict.fetch("select 1 from campaigns")) == statuses.count(201)


async def test_no_answer_names_the_software_below_or_invites_other_origins(visitor: Door) -> None:
    """No CORS: a browser keeps pages of others from reading any answer."""
    origin = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "x-api-key": visitor.account.api_key,
    }
    for method in ("GET", "OPTIONS", "POST", "DELETE"):
        for path in ("/", "/docs", "/openapi.json", "/nowhere", *(at.path for at in DOORS.values())):
            response = await visitor.client.request(method, path, headers=origin)
            assert response.headers["Server"] == "Belltower", path
            assert response.headers["X-Content-Type-Options"] == "nosniff", path
            assert not [name for name in response.headers if name.lower().startswith("access-control")], path
            assert "X-Powered-By" not in response.headers


async def test_the_page_can_neither_run_scripts_nor_be_framed(visitor: Door) -> None:
    response = await visitor.client.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    assert (response.status, response.headers["X-Frame-Options"]) == (200, "DENY")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in (await response.text()).lower()
