"""Hostile input at every operation of every door: a clear no in the door's shape, never a 500, never long.

Made over the table of routes and the fields of their models: what is new is attacked without a line here.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from yarl import URL

from services.api.dialect import RouteDef
from services.api.dialects import DIALECTS
from shared.runtime.settings import Settings
from tests.integration.api.conftest import Door, open_door
from tests.integration.api.tenant import Owned, settle
from tests.integration.api.tenant_requests import Asked, requests_of
from tests.integration.api.test_bad_input import BODIES

WHOLE = "FUZZ" in os.environ
LONGEST = 2.0
"""Seconds of one answer."""

ROUTES: dict[tuple[str, str], tuple[str, RouteDef]] = {
    (route.method, route.path): (dialect.name, route) for dialect in DIALECTS for route in dialect.routes
}
ENVELOPES = {
    "items": ("error", {"code", "message", "details", "requestId"}),
    "integration": ("error", {"code", "message", "details", "requestId"}),
    "sandbox": ("error", {"code", "message", "details", "requestId"}),
    "campaigns": ("error", {"code", "message", "details"}),
    "crm": ("error", {"message", "error_code", "request_id"}),
    "appointments": (None, {"message", "code", "details"}),
}
DEEP: Any = json.loads("[" * 150 + "]" * 150)
VALUES: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 2**64, 10**300, 1.5, 1e308, "1e999", "-0", "9" * 5_000,
    "", " ", "\0", "a\0b", "\r\nBcc: x@example.com", "\u202e\u200b", "é" * 30_000, "x" * 200_000,
    "../../etc/passwd", "'; drop table reminders; --", "%s%s%n{0}{x!r}", "2031-13-45T99:99:99Z",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "P99999999999Y", "PT1E5H",
    "+" + "9" * 300, "https://[::1", "a@" + "b" * 300,
    [], {}, [None], [[]], {"": ""}, {"\0": 1}, DEEP, ["x"] * 2_000, {f"k{n}": n for n in range(2_000)},
]  # fmt: skip
RAW = [
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xff"',
    b'"\xc0\xaf"',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5_000,
    b"[" * 3_000,
]
TEXTS = [
    "", "%00", "%ff", "%C3%28", "%ED%A0%80", "%F0%9F%98%80", "x" * 6_000, "9" * 30, "-1", "1e3", "%0d%0aX:%20y",
    "%2e%2e", "%27%3b--", "%5c", "%E2%80%AE", "00", "null", "%7B%7D", "2031-13-45", "%25s",
]  # fmt: skip


@dataclass
class Attack:
    """One tenant and what it sends."""

    door: Door
    owned: Owned
    secret: str
    sent: int = 0
    slowest: float = 0.0
    broken: list[Any] = field(default_factory=list)

    async def send(
        self, route: tuple[str, str], body: bytes | None, *, url: str | None = None, must: bool = False, **headers: str
    ) -> int:
        """The status. Notes what is a 5xx, slow, no JSON, in another shape, or, where it `must` be refused, is not."""
        name, _ = ROUTES[route]
        asked = requests_of(self.owned)[route]
        proof = {"X-Reminder-Secret": self.secret} if name == "integration" else self.door.key
        target = URL(url or str(URL(asked.path).with_query(asked.query)), encoded=True)
        sent = {"Content-Type": "application/json", **proof, **headers}
        began = time.perf_counter()
        async with asyncio.timeout(20):
            response = await self.door.client.request(
                route[0], target, data=io.BytesIO(body) if body is not None else None, headers=sent
            )
            text = await response.text()
        took = time.perf_counter() - began
        self.sent, self.slowest = self.sent + 1, max(self.slowest, took)
        wrong = response.status >= 500 or took > LONGEST or (must and response.status < 400)
        if wrong or (response.status >= 400 and not well_formed(name, text)):
            self.broken.append(
                (route, str(target)[-60:], (body or b"")[:60], headers, response.status, took, text[:300])
            )
        return response.status


def well_formed(name: str, text: str) -> bool:
    """Whether this is the door's own envelope."""
    key, fields = ENVELOPES[name]
    try:
        body = json.loads(text)
    except ValueError:
        return False
    inner = body.get(key) if key else body
    return isinstance(inner, dict) and fields <= set(inner)


@pytest.fixture
async def attack(settings: Settings) -> AsyncIterator[Attack]:
    async with open_door(settings.model_copy(update={"rate_limit": 0.0})) as door:
        owned, secret = await settle(door, door.account)
        yield Attack(door, owned, secret)


@pytest.fixture
def shown(attack: Attack, figure: Callable[[str], None]) -> Callable[[str], None]:
    def show(what: str) -> None:
        figure(f"{attack.sent} {what} at {len(ROUTES)} operations: 0 server errors, the slowest {attack.slowest:.2f} s")
        assert attack.broken == [], [len(attack.broken), *{str(one[3:]): one for one in attack.broken}.values()][:12]

    return show


def some(values: list[Any], place: int) -> list[Any]:
    """All of them under `make fuzz`; else each fourth, at each place others."""
    return values if WHOLE else values[place % 4 :: 4]


def asked_for(attack: Attack) -> Iterator[tuple[tuple[str, str], RouteDef, Asked]]:
    for route, asked in requests_of(attack.owned).items():
        yield route, ROUTES[route][1], asked


async def test_b_034_no_operation_takes_what_is_no_json(attack: Attack, shown: Callable[[str], None]) -> None:
    """B-093, B-199, B-249: bodies that cannot be read."""
    for route, definition, _ in asked_for(attack):
        for name, body in some(list(BODIES.items()), len(route[1])):
            must = definition.body is not None and not (definition.body_optional and name in {"empty", "white"})
            await attack.send(route, body, must=must)
    shown("unreadable bodies")


async def test_no_operation_breaks_over_a_value(attack: Attack, shown: Callable[[str], None]) -> None:
    """B-255: every field of every body, with every value of the list."""
    for route, definition, asked in asked_for(attack):
        if definition.body is None:
            continue
        names = [each.alias or name for name, each in definition.body.model_fields.items()]
        for place, name in enumerate(names):
            for value in some(VALUES, place):
                await attack.send(route, json.dumps({**(asked.body or {}), name: value}).encode())
            rest = json.dumps({key: value for key, value in (asked.body or {}).items() if key != name})[1:-1].encode()
            for raw in some(RAW, place):
                body = b'{"' + name.encode() + b'": ' + raw + (b", " + rest if rest else b"") + b"}"
                await attack.send(route, body, must=True)
    shown("bad values in bodies")


async def test_no_operation_breaks_over_its_address(attack: Attack, shown: Callable[[str], None]) -> None:
    """B-011: every parameter of every path and query."""
    for route, definition, asked in asked_for(attack):
        segments, template = asked.path.split("/"), definition.path.split("/")
        body = json.dumps(asked.body).encode() if asked.body is not None and route[0] != "DELETE" else None
        for index, part in enumerate(template):
            for text in some(TEXTS, index) if part.startswith("{") else []:
                url = "/".join([*segments[:index], text, *segments[index + 1 :]])
                await attack.send(route, body, url=url or "/")
        names = (
            [each.alias or name for name, each in definition.query.model_fields.items()] if definition.query else ["x"]
        )
        for place, name in enumerate(names):
            for text in some(TEXTS, place):
                await attack.send(route, body, url=f"{asked.path}?{name}={text}")
            await attack.send(route, body, url=f"{asked.path}?{name}=1&{name}=2")
    shown("bad addresses")


async def test_no_operation_breaks_over_how_a_body_comes(attack: Attack, shown: Callable[[str], None]) -> None:
    """B-269: packed, chunked, announced, of another type, and too large."""
    for route, definition, asked in asked_for(attack):
        body = json.dumps(asked.body or {}).encode()
        limit, writes = definition.body_limit, definition.writes
        reads = definition.body is not None
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", ""):
            await attack.send(route, body, must=reads, **{"Content-Type": kind})
        await attack.send(route, body, must=False, **{"Content-Type": "application/json; charset=utf-16"})
        await attack.send(route, gzip.compress(b"[" * 5_000), must=reads, **{"Content-Encoding": "gzip"})
        await attack.send(route, gzip.compress(body)[:-9], must=False, **{"Content-Encoding": "gzip"})
        await attack.send(route, gzip.compress(b" " * (limit + 1)), must=writes, **{"Content-Encoding": "gzip"})
        await attack.send(route, b"no gzip", must=writes, **{"Content-Encoding": "gzip"})
        await attack.send(route, b"{", must=reads, Expect="100-continue")
        await attack.send(route, b"{", must=reads, Expect="something-else")
        await attack.send(route, b" " * (limit + 1), must=writes)
        for key in ("", "x" * 256, "é", "a\tb"):
            await attack.send(route, b"{", must=reads, **{"Idempotency-Key": key})
    shown("odd bodies")
