"""Hostile and careless requests: a clear 4xx in the door's shape, never a 500, never a hang, nothing written."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from typing import Any

import pytest
from aiohttp import http_parser

from tests.builders import a_reminder, an_item
from tests.integration.api.conftest import Door

CREATE = "/api/reminder/item/create"

# What the rows below put in place of a whole body.
BODIES: dict[str, bytes] = {
    "empty": b"",
    "white": b"  \n",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"x"',
    "cut off": b'{"id": "a"',
    "trailing": b"{} {}",
    "comment": b"{/* */}",
    "single quotes": b"{'id': 'a'}",
    "deep": b"[" * 100_000,
    "deep in a field": b'{"id": ' + b"[" * 50_000,
    "huge integer": b'{"id": ' + b"9" * 5_000 + b"}",
    "not a number": b'{"id": NaN}',
    "infinity": b'{"id": Infinity}',
    "too large a float": b'{"id": 1e999}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"id": "a"}'.encode("utf-16"),
    "bad utf-8": b'{"id": "\xff"}',
    "overlong utf-8": b'{"id": "\xc0\xaf"}',
    "lone surrogate": b'{"id": "\\ud800"}',
    "lone surrogate in an unknown field": b'{"x": "\\ud800"}',
    "form": b"id=a&status=active",
}

FIELDS: list[tuple[str, Any]] = [
    ("id", ""),
    ("id", "x" * 256),
    ("id", "a/b"),
    ("id", ".."),
    ("id", "a\u0000b"),
    ("id", "a\nb"),
    ("id", "a\u202eb"),
    ("id", "a\u200bb"),
    ("id", 12),
    ("id", None),
    ("id", ["a"]),
    ("countryCode", ""),
    ("countryCode", "+"),
    ("countryCode", "+999"),
    ("countryCode", "62 1"),
    ("countryCode", "ID"),
    ("countryCode", 62),
    ("countryCode", "\uff0b\uff16\uff12"),
    ("phoneNumber", ""),
    ("phoneNumber", "1"),
    ("phoneNumber", "8" * 300),
    ("phoneNumber", "81234567890;ext=5"),
    ("phoneNumber", "CALL-ME-NOW"),
    ("phoneNumber", "\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"),
    ("phoneNumber", "\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667"),
    ("phoneNumber", "+62+6281234567890"),
    ("phoneNumber", "+4930123456"),
    ("phoneNumber", "81234567890\u0000"),
    ("phoneNumber", 81234567890),
    ("recipientName", "a\u0000b"),
    ("recipientName", "a\r\nBcc: b"),
    ("recipientName", "x" * 256),
    ("recipientName", True),
    ("notificationTemplateName", ""),
    ("notificationTemplateName", None),
    ("notificationTemplateName", "a\u0000b"),
    ("templateParameters", "one"),
    ("templateParameters", {"1": "one"}),
    ("templateParameters", None),
    ("templateParameters", ["x"] * 101),
    ("sendTimes", []),
    ("sendTimes", "2031-01-01T00:00:00Z"),
    ("sendTimes", ["2031-01-01T00:00:00Z"] * 1001),
    ("sendTimes", None),
    ("timezone", ""),
    ("timezone", "../../etc/passwd"),
    ("timezone", "/etc/passwd"),
    ("timezone", "Asia/Jakarta\u0000"),
    ("timezone", "x" * 5_000),
    ("timezone", "Europe"),
    ("timezone", "tzdata.zi"),
    ("timezone", "localtime"),
    ("timezone", "posixrules"),
    ("timezone", "right/UTC"),
    ("timezone", "posix/UTC"),
    ("timezone", "Factory"),
    ("timezone", "UTC+7"),
    ("timezone", "asia/jakarta"),
    ("timezone", 7),
]

ITEMS_OF: list[tuple[str, Any]] = [
    ("templateParameters", 1),
    ("templateParameters", None),
    ("templateParameters", ["x"]),
    ("templateParameters", "a\u0000"),
    ("templateParameters", "a\tb"),
    ("templateParameters", "x" * 1025),
    ("sendTimes", 1748505600),
    ("sendTimes", "1748505600"),
    ("sendTimes", None),
    ("sendTimes", True),
    ("sendTimes", "2031-01-01"),
    ("sendTimes", "2031-01-01T24:00:00Z"),
    ("sendTimes", "2031-01-01T00:00:60Z"),
    ("sendTimes", "2031-02-30T00:00:00Z"),
    ("sendTimes", "2031-01-01T00:00:00+25:00"),
    ("sendTimes", "2031-01-01T00:00:00 07:00"),
    ("sendTimes", "0000-01-01T00:00:00Z"),
    ("sendTimes", "10000-01-01T00:00:00Z"),
    ("sendTimes", "9999-12-31T23:59:00-12:00"),
    ("sendTimes", "0001-01-01T00:00:00+14:00"),
    ("sendTimes", "2031-01-01T00:00:00Z\u0000"),
    ("sendTimes", "\u0662\u0660\u0663\u0661-01-01T00:00:00Z"),
    ("sendTimes", "now"),
]


async def _refused(door: Door, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The error of both doors to this body, after making sure that both say 400 in the door's shape."""
    error: dict[str, Any] = {}
    for url in (CREATE, f"{door.base}/rem-1?secret={door.account.default.primary_key}"):
        response = await door.client.post(
            url, data=body, headers={"Content-Type": "application/json", **door.key, **(headers or {})}
        )
        answer = await response.json()
        assert response.status == 400, (url, body[:80], answer)
        error = error or answer["error"]
        assert error["details"], answer
    return error


async def test_b_034_what_is_no_json_object_is_400(visitor: Door) -> None:
    for body in BODIES.values():
        await _refused(visitor, body)
    assert (await visitor.call("GET", "/api/reminder/item/list"))[1]["total"] == 0


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "x"])
async def test_b_034_another_content_type_is_400(visitor: Door, content_type: str) -> None:
    body = json.dumps(an_item()).encode()
    response = await visitor.client.post(CREATE, data=body, headers={"Content-Type": content_type, **visitor.key})
    assert response.status == 400
    assert "application/json" in (await response.json())["error"]["details"][0]["reason"]


async def test_every_bad_value_is_400_and_named(visitor: Door) -> None:
    """B-013 to B-028, B-034, B-036, B-049."""
    for field, value in FIELDS:
        status, refused = await visitor.call("POST", CREATE, an_item() | {field: value})
        assert status == 400, (field, value, refused)
        assert [problem["field"] for problem in refused["error"]["details"]] == [field], (value, refused)
    for field, value in ITEMS_OF:
        fine = an_item()[field][0]
        status, refused = await visitor.call("POST", CREATE, an_item() | {field: [fine, value]})
        assert status == 400, (field, value, refused)
        assert [problem["field"] for problem in refused["error"]["details"]] == [f"{field}.1"], (value, refused)
    assert (await visitor.call("GET", "/api/reminder/item/list"))[1]["total"] == 0


async def test_odd_but_honest_values_are_kept_as_they_are(visitor: Door) -> None:
    """B-026, B-044: names and texts hold any character; IANA names of every kind are zones."""
    for n, change in enumerate(
        [
            {"recipientName": "Åsa 😀 \u0301"},
            {"recipientName": "'; drop table reminders; --"},
            {"recipientName": "<script>alert(1)</script>"},
            {"recipientName": "\u202egnp"},
            {"templateParameters": ["", "{{1}}", "%s", "=HYPERLINK(1)"]},
            {"timezone": "EST"},
            {"timezone": "Etc/GMT+7"},
            {"timezone": "Asia/Calcutta"},
            {"sendTimes": ["2031-01-01T00:00Z", "2031-01-01 00:00:00", "9999-12-31T23:59:59Z"]},
        ]
    ):
        body = an_item(f"item-{n}", **change)
        status, item = await visitor.call("POST", CREATE, body)
        assert status == 201, item
        assert {name: item[name] for name in change} == change
    assert (await visitor.call("GET", "/api/reminder/item/list"))[1]["total"] == n + 1


@pytest.mark.parametrize(
    "path", ["%00", "a%00b", "a%2Fb", "..%2f..%2fx", "%ff%fe", "%C3%28", "x" * 256, "%0A", "%E2%80%AE"]
)
async def test_b_011_a_bad_id_in_the_path_is_400_and_makes_nothing(visitor: Door, path: str) -> None:
    status, refused = await visitor.reminder("POST", path, a_reminder())
    assert (status, refused["error"]["code"]) == (400, "invalid_request")
    status, _ = await visitor.reminder("GET", path)
    assert status in {400, 404}


@pytest.mark.parametrize("query", ["status=%00", "phoneNumber=%ff", "agentId=a%00", "nonsense=%00", "status=%ED%A0%80"])
async def test_a_query_that_is_no_text_is_400(visitor: Door, query: str) -> None:
    assert (await visitor.call("GET", f"/api/reminder/item/list?{query}"))[0] == 400


async def test_b_269_a_body_that_is_too_large_is_413_before_it_is_read(visitor: Door) -> None:
    body = json.dumps(an_item(recipientName="x" * 300_000)).encode()
    headers = {"Content-Type": "application/json", **visitor.key}
    response = await visitor.client.post(CREATE, data=body, headers=headers)
    assert (response.status, (await response.json())["error"]["limit"]) == (413, 256_000)

    async def chunks() -> Any:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    response = await visitor.client.post(CREATE, data=chunks(), headers=headers)
    assert response.status == 413


async def test_b_269_a_packed_body_is_measured_unpacked(visitor: Door) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", **visitor.key}
    bomb = gzip.compress(b" " * 50_000_000)
    response = await visitor.client.post(CREATE, data=bomb, headers=headers)
    assert response.status == 413
    response = await visitor.client.post(CREATE, data=b"no gzip at all", headers=headers)
    assert response.status == 400
    fine = gzip.compress(json.dumps(an_item()).encode())
    response = await visitor.client.post(CREATE, data=fine, headers=headers)
    assert response.status == 201


async def _raw(door: Door, request: bytes, *, keep: float = 0) -> bytes:
    """The answer to bytes as they are; `keep` seconds of silence before the end."""
    assert door.client.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", door.client.port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(20):
            answer = await reader.read(65_536)
        await asyncio.sleep(keep)
        return answer
    finally:
        writer.close()


async def test_a_declared_length_over_the_limit_is_refused_unread(visitor: Door) -> None:
    head = f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{{".encode()
    started = time.monotonic()
    assert b" 413 " in await _raw(visitor, head)
    assert time.monotonic() - started < 2


async def test_a_body_that_drips_is_408_and_holds_no_connection_to_the_database(
    visitor: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.body.READ_TIMEOUT", 0.3)
    head = f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{{"
    drips = [asyncio.create_task(_raw(visitor, head.encode())) for _ in range(30)]
    await asyncio.sleep(0.1)
    assert (await visitor.call("GET", "/api/reminder/item/list"))[0] == 200
    for answer in await asyncio.gather(*drips):
        assert b" 408 " in answer
        assert b"body_too_slow" in answer


FRAMING = [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\nx",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nxxxxx",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-A: \0\r\n\r\n",
    b"GET /" + b"x" * 33_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
]


def test_the_parser_that_was_measured_is_the_one_in_use() -> None:
    """The one in pure Python is more forgiving."""
    assert http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy


async def test_framing_that_proxies_disagree_about_is_400(visitor: Door) -> None:
    for request in FRAMING:
        answer = await _raw(visitor, request)
        assert answer.split(b" ")[1] == b"400", (request[:80], answer[:80])
