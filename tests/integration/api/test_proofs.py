"""Every route of every door asks for a proof, and every wrong one sounds the same: over the table of routes."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.api.app import build_app
from shared.runtime.settings import Settings
from tests.integration.api.conftest import Door, open_door
from tests.integration.api.tenant import Owned, settle
from tests.integration.api.tenant_requests import Asked, requests_of
from tests.integration.api.test_tenants import ROUTES, blank, everything

Proof = dict[str, str]


@pytest.fixture
async def patient(settings: Settings) -> AsyncIterator[Door]:
    """A deployment without limits: this test fails on purpose, many times."""
    async with open_door(settings.model_copy(update={"rate_limit": 0.0, "failed_logins": 0.0})) as door:
        yield door


def wrong_proofs(route: tuple[str, str], good: str) -> dict[str, Proof]:
    """Headers that prove nobody; `good` is a key that opens the door, which none of these sends as it should."""
    header = "X-Reminder-Secret" if ROUTES[route].name == "integration" else "x-api-key"
    return {
        "none": {},
        "empty": {header: ""},
        "white": {header: "   "},
        "garbage": {header: "garbage"},
        "not ascii": {header: "é😀"},
        "very long": {header: "sk_live_" + "x" * 7_000},
        "cut off": {header: good[:-1]},
        "one more": {header: f"{good}x"},
        "another case": {header: good.swapcase()},
        "another scheme": {"Authorization": f"Basic {good}"},
        "no scheme": {"Authorization": good},
        "two that differ": {header: good, "Authorization": "Bearer other"},
        "sql": {header: "' or '1'='1"},
        "list": {header: f"{good},{good}"},
        "cookie": {"Cookie": f"{header}={good}"},
    }


async def ask(door: Door, route: tuple[str, str], asked: Asked, proof: Proof, **more: str) -> tuple[int, str]:
    query = asked.query | more
    response = await door.client.request(route[0], asked.path, json=asked.body, params=query, headers=proof)
    return response.status, await response.text()


async def test_b_004_every_wrong_proof_is_401_at_every_route_and_changes_nothing(
    patient: Door, figure: Callable[[str], None]
) -> None:
    """B-087, B-205, B-207: with one body for all of them, in the door's shape."""
    owned, secret = await settle(patient, patient.account)
    before, count = await everything(patient, patient.account.account_id), 0
    for route, asked in requests_of(owned).items():
        good = secret if ROUTES[route].name == "integration" else patient.account.api_key
        bodies = set()
        for name, proof in wrong_proofs(route, good).items():
            status, text = await ask(patient, route, asked, proof)
            assert status == 401, (route, name, status, text)
            bodies.add(blank(text, owned))
            count += 1
        assert len(bodies) == 1, (route, bodies)
        assert good not in str(bodies)
    assert await everything(patient, patient.account.account_id) == before
    figure(f"{count} wrong proofs at {len(ROUTES)} routes: 401 each, nothing changed")


@pytest.mark.parametrize("query", ["api_key", "key", "x-api-key", "secret"])
async def test_an_accounts_key_in_the_address_opens_nothing(patient: Door, query: str) -> None:
    """Only the integration door takes a key there, and only its own (B-001)."""
    owned, _ = await settle(patient, patient.account)
    for route, asked in requests_of(owned).items():
        status, _ = await ask(patient, route, asked, {}, **{query: patient.account.api_key})
        assert status == 401, route


async def test_b_008_what_has_expired_opens_no_route(patient: Door) -> None:
    owned, secret = await settle(patient, patient.account)
    await patient.execute("update credentials set expires_at = clock_timestamp() where expires_at is null")
    before = await everything(patient, patient.account.account_id)
    for route, asked in requests_of(owned).items():
        proof = {"X-Reminder-Secret": secret} if ROUTES[route].name == "integration" else patient.key
        status, text = await ask(patient, route, asked, proof)
        assert status == 401, (route, text)
        json.loads(text)
    assert await everything(patient, patient.account.account_id) == before


async def test_a_right_beginning_takes_as_long_as_a_wrong_one(patient: Door, figure: Callable[[str], None]) -> None:
    """B-007: a key is looked up by its digest, so its characters cannot be found one by one."""
    good = patient.account.api_key
    guesses = {"first wrong": f"X{good[1:]}", "last wrong": f"{good[:-1]}!", "short": "x"}
    took: dict[str, list[float]] = {name: [] for name in guesses}
    for _ in range(150):
        for name, guess in guesses.items():
            began = time.perf_counter()
            assert (await patient.call("GET", "/v1/webhooks", key=guess))[0] == 401
            took[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in took.items()}
    figure("medians of 401: " + ", ".join(f"{name} {took * 1000:.2f} ms" for name, took in medians.items()))
    assert max(medians.values()) < 2 * min(medians.values())


async def test_b_008_a_key_that_was_replaced_is_dead_at_once_at_every_replica(patient: Door) -> None:
    """B-003: and the other one of the pair goes on, at both."""
    keys = patient.account.default
    path = "/api/reminder/configuration/default/default/refresh-keys?keyType=primary"
    async with TestClient(TestServer(build_app(patient.runtime), access_log=None)) as replica:

        async def opens(secret: str) -> list[bool]:
            """At the first and at the second."""
            url = f"{patient.base}/nothing"
            headers = {"X-Reminder-Secret": secret}
            found = [await client.get(url, headers=headers) for client in (patient.client, replica)]
            return [answer.status == 404 for answer in found]

        assert await opens(keys.primary_key) == await opens(keys.secondary_key) == [True, True]
        status, fresh = await patient.call("POST", path)
        assert status == 200
        assert await opens(keys.primary_key) == [False, False]
        assert await opens(keys.secondary_key) == await opens(fresh["primaryKey"]) == [True, True]


def test_the_rows_know_every_field_of_what_is_owned() -> None:
    """A kind of id that no request names would be proved by nobody."""
    told = str(requests_of(Owned(**{name: f"<{name}>" for name in Owned.__dataclass_fields__})))  # type: ignore[arg-type]
    assert [name for name in Owned.__dataclass_fields__ if f"<{name}>" not in told] == []
