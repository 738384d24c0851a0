"""Bytes that are no HTTP, at the service as it runs: an answer in JSON that repeats nothing of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from structlog.testing import capture_logs

from services.api.serve import run
from tests.integration.api.conftest import Door
from tests.integration.api.test_bad_input import FRAMING

SECRET = "pri_this_must_not_come_back"
LONG = f"GET /api/reminder/default/default/rem-1?secret={SECRET}&x={'x' * 33_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.fixture
async def address(visitor: Door) -> AsyncIterator[str]:
    """Where the service listens."""
    settings = visitor.runtime.settings.model_copy(
        update={"api_host": "127.0.0.1", "api_port": 0, "readiness_delay": 0}
    )
    runtime = replace(visitor.runtime, settings=settings, stopping=asyncio.Event(), addresses={})
    service = asyncio.create_task(run(runtime))
    async with asyncio.timeout(10):
        while "api" not in runtime.addresses:
            await asyncio.sleep(0.01)
    yield runtime.addresses["api"]
    runtime.stopping.set()
    await service


async def _raw(address: str, request: bytes) -> tuple[bytes, Any]:
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return head, json.loads(body)
    finally:
        writer.close()


async def test_b_255_what_is_no_http_is_refused_in_the_shape_of_every_error(address: str) -> None:
    for request in FRAMING:
        head, answer = await _raw(address, request)
        assert b" 400 " in head.splitlines()[0]
        assert b"application/json" in head
        assert (answer["error"]["code"], len(answer["error"]["details"])) == ("invalid_request", 1)
        assert answer["error"]["requestId"].encode() in head


async def test_b_007_a_request_line_that_is_too_long_is_not_told_back(address: str) -> None:
    """B-007: not in the answer, and not in the logs."""
    with capture_logs() as logs:
        head, answer = await _raw(address, LONG)
    assert answer["error"]["details"][0]["code"] == "http_too_long"
    assert SECRET not in f"{head!r}{answer}{logs}"
    assert [line["event"] for line in logs] == ["request_unreadable"]


async def test_b_011_names_of_255_characters_fit_into_one_path(address: str) -> None:
    """B-011: three of them, and escaped each character is twelve bytes."""
    name = "\N{MATHEMATICAL BOLD CAPITAL A}" * 255
    url = f"{address}/api/reminder/{name}/{name}/{name}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"X-Reminder-Secret": "x"}) as response:
        assert (await response.json())["error"]["code"] == "configuration_not_found"


async def test_the_service_serves_as_before(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert (response.status, (await response.json())["name"]) == (200, "belltower")
