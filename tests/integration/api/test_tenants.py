"""No tenant reaches another's: generated over the table of routes, so that a new route without a row fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.api.dialects import DIALECTS
from tests.integration.api.conftest import Door
from tests.integration.api.tenant import WORDS, Owned, nobodys, settle
from tests.integration.api.tenant_requests import Asked, requests_of

ROUTES = {(route.method, route.path): dialect for dialect in DIALECTS for route in dialect.routes}

_TABLES = """
select c.relname as name, a.attname is not null as of_account
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
where n.nspname = 'public' and c.relkind = 'r' and c.relname not like 'alembic%' order by 1
"""
_RANDOM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")


async def everything(door: Door, account: Any) -> dict[str, list[str]]:
    """Every row of the account's, and those of tables that name no account."""
    found = {}
    for table in await door.fetch(_TABLES):
        mine = "where account_id = $1" if table["of_account"] else "where $1::uuid is not null"
        if table["name"] == "accounts":
            mine = "where id = $1"
        rows = await door.fetch(f"select to_jsonb(t)::text as row from {table['name']} t {mine} order by 1", account)
        found[table["name"]] = [row["row"] for row in rows]
    return found


async def ask(door: Door, route: tuple[str, str], asked: Asked, *, key: str, secret: str) -> tuple[int, str]:
    """Status and text of the answer, at the integration door with `secret`."""
    proof = {"X-Reminder-Secret": secret} if ROUTES[route].name == "integration" else {"x-api-key": key}
    response = await door.client.request(route[0], asked.path, json=asked.body, params=asked.query, headers=proof)
    return response.status, await response.text()


def blank(text: str, ids: Owned) -> str:
    """The answer without what differs from request to request, and without the ids that were asked for."""
    for value in ids.texts:
        text = text.replace(value, "…")
    return _RANDOM.sub("…", text)


def test_every_route_has_its_row() -> None:
    table = requests_of(Owned(**dict.fromkeys(Owned.__dataclass_fields__, "x")))  # type: ignore[arg-type]
    assert set(table) == set(ROUTES), (
        "give a new route a row in tenant_requests.py: what does it name, and how is it refused?"
    )


def test_nothing_is_open_but_what_is_meant_for_everybody(visitor: Door) -> None:
    """Every path of the server is a door's, or public on purpose; probes and metrics have a port of their own."""
    public = {"/", "/docs", "/openapi.json"}
    paths = {route.resource.canonical.rstrip("/") or "/" for route in visitor.client.app.router.routes()}  # type: ignore[union-attr]
    unknown = paths - public - {path for _, path in ROUTES}
    assert [path for path in unknown if not path.startswith("/callbacks/")] == []


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/debug", "/admin", "/.env", "/server-status"])
async def test_what_operators_look_at_is_not_on_the_public_port(visitor: Door, path: str) -> None:
    assert (await visitor.call("GET", path))[0] == 404


async def test_b_253_no_key_reaches_what_is_anothers(door: Door, figure: Callable[[str], None]) -> None:
    """The answer is the same as for an id that nothing has; nothing changes, nothing is told."""
    owned, _ = await settle(door, door.account)
    stranger = await door.another_account("Stranger")
    keys = {"key": stranger.api_key, "secret": stranger.default.primary_key}
    before, asked_for = await everything(door, door.account.account_id), 0
    free = requests_of(nobodys(owned))
    for route, asked in requests_of(owned).items():
        status, text = await ask(door, route, asked, **keys)
        asked_for += 1
        if asked.names:
            assert status in asked.refused, (route, status, text)
            other = await ask(door, route, free[route], **keys)
            if (
                ROUTES[route].name != "integration"
            ):  # there a known configuration answers 401, an unknown one 404: B-006
                assert (status, blank(text, owned)) == (other[0], blank(other[1], nobodys(owned))), route
        else:
            assert status < 300, (route, status, text)
        told = blank(text, owned) if asked.names else text
        assert not [word for word in WORDS if word in told.replace("canary-fresh", "")], (route, text)
    assert await everything(door, door.account.account_id) == before
    figure(f"{asked_for} of {len(ROUTES)} routes asked with another tenant's key: nothing told, nothing changed")


async def test_the_same_requests_find_it_with_the_owners_key(door: Door) -> None:
    """Else the test above would prove nothing."""
    owned, secret = await settle(door, door.account)
    gone = {("DELETE", "/api/contacts/{id}"), ("DELETE", "/v1/webhooks/{id}")}
    for route, asked in requests_of(owned).items():
        status, text = await ask(door, route, asked, key=door.account.api_key, secret=secret)
        assert (status == 404) == (route in gone), (route, status, text)
        too_early = (status, route[1]) == (400, "/events/reminders/{uuid}/no-show")
        assert status < 300 or status in {404, 409} or too_early, (route, status, text)


async def test_a_key_of_another_configuration_of_the_same_account_is_wrong_too(door: Door) -> None:
    """B-004: a configuration's key reaches that configuration only."""
    owned, _ = await settle(door, door.account)
    for route, asked in requests_of(owned).items():
        if ROUTES[route].name == "integration":
            status, _ = await ask(door, route, asked, key="", secret=door.account.default.primary_key)
            assert status == 401, route


@pytest.mark.parametrize("scope", ["secret as key", "key as secret"])
async def test_a_key_of_the_other_kind_opens_no_door(door: Door, scope: str) -> None:
    owned, secret = await settle(door, door.account)
    swapped = {"key": secret, "secret": door.account.api_key}
    for route, asked in requests_of(owned).items():
        if (ROUTES[route].name == "integration") == (scope == "key as secret"):
            status, text = await ask(door, route, asked, **swapped)
            assert status == 401, (route, status, text)
