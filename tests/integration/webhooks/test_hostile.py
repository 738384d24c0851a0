"""Receivers that mean harm: W-05 to W-11 and W-14 of the fault catalogue. Every wait and every byte is bounded."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from services.webhooks.client import WebhookClient
from services.webhooks.vetting import Vetting, own_servers
from shared.domain.endpoint import Answer
from tests.rig.receiver import Receiver, a_bomb

if TYPE_CHECKING:
    from conftest import Webhooks

PUBLIC = "93.184.216.34"


@pytest.fixture
def limits() -> dict[str, float]:
    return {"webhook_timeout": 1.0}


async def post(client: WebhookClient, url: str, timeout: float = 2.0) -> Answer:
    try:
        return await client.post(url, b"{}", {"Content-Type": "application/json"}, timeout=timeout)
    finally:
        await client.close()


class Names:
    """A name service that says what the test wants, each time the next; counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int, family: int) -> Iterable[Any]:  # noqa: ARG002  a name service's shape
        answer = self.answers[self.asked % len(self.answers)]
        self.asked += 1
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in answer
        ]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_w_05_redirects_are_failures_and_nobody_is_called(webhooks: Webhooks, code: int) -> None:
    """B-163: not even to ourselves."""
    async with Receiver.running() as canary:
        await webhooks.endpoint(f"redirect?code={code}&to={canary.url()}")
        await webhooks.endpoint(f"redirect?code={code}&to=/redirect")
        await webhooks.endpoint(f"redirect?code={code}&to=http://169.254.169.254/")
        await webhooks.happen()
        for _ in range(3):
            await webhooks.tick()
        assert canary.connections == 0
    assert len(webhooks.receiver.ledger) == 3
    assert {attempt["status_code"] for attempt in await webhooks.attempts()} == {code}
    assert {delivery["state"] for delivery in await webhooks.deliveries()} == {"pending"}


async def test_w_06_a_name_that_changes_its_mind_reaches_nothing_inside() -> None:
    """1,000 rounds in which the name's answer is public when it is asked about and loopback when it is used."""
    async with Receiver.running() as canary:
        names = Names(["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["10.0.0.1", "127.0.0.1"])
        client = WebhookClient(Vetting(()), concurrency=50, lookup=names)
        url = f"http://rebind.example:{canary.port}/"
        posts = (client.post(url, b"{}", {}, timeout=2) for _ in range(1000))
        answers = await asyncio.gather(*posts)
        await client.close()
        assert {answer.error for answer in answers} == {"refused_address"}
        assert names.asked == 1000, "each POST asks once: there is no second answer to use"
        assert canary.connections == 0


async def test_w_06_the_address_that_was_vetted_is_the_one_that_is_used() -> None:
    """Of mixed answers only the permitted ones are tried, and never more than a few."""
    tried: list[str] = []

    class Watched(Vetting):
        def make_socket(self, candidate: Any) -> socket.socket:
            tried.append(candidate[4][0])
            raise OSError("this test sends nothing")

    many = [f"93.184.{n}.34" for n in range(50)]
    await post(
        WebhookClient(Watched(()), concurrency=1, lookup=Names(["127.0.0.1", "fe80::1", *many])), "https://a.example/"
    )
    assert set(tried) <= set(many)
    assert 1 <= len(set(tried)) <= 4


async def test_w_06_the_socket_itself_is_guarded_where_no_name_is_resolved() -> None:
    for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "[fe80::1]"):
        answer = await post(WebhookClient(Vetting(()), concurrency=1), f"http://{host}:1/")
        assert answer == Answer(None, "refused_address"), host


async def test_our_own_servers_are_refused_even_where_their_network_is_allowed() -> None:
    async with Receiver.running() as database:
        own = await own_servers([f"postgres://u:p@db.example:{database.port}/x", "memory://"], Names(["127.0.0.1"]))
        assert own == {("127.0.0.1", database.port)}
        allowed = [IPv4Network("127.0.0.0/8")]
        answer = await post(WebhookClient(Vetting(allowed, own), concurrency=1), database.url())
        assert answer.error == "refused_address"
        assert database.connections == 0


async def test_w_06_a_slow_name_service_ends_with_the_timeout() -> None:
    async def slow(host: str, port: int, family: int) -> Iterable[Any]:
        await asyncio.sleep(60)
        return []

    began = time.monotonic()
    answer = await post(WebhookClient(Vetting(()), concurrency=1, lookup=slow), "https://a.example/", timeout=0.3)
    assert answer.error == "timeout"
    assert time.monotonic() - began < 1


def memory() -> float:
    """MB that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6


@pytest.mark.parametrize("behaviour", ["endless", "endless?code=200", "bomb", "bomb?code=200"])
async def test_w_07_and_w_10_an_endless_or_packed_answer_is_cut_off(webhooks: Webhooks, behaviour: str) -> None:
    """The status alone decides; 16 kB are read, nothing is unpacked, 1 kB at the most is kept."""
    await webhooks.endpoint(behaviour)
    await webhooks.happen()
    a_bomb()
    before = memory()
    began = time.monotonic()
    await webhooks.tick()
    assert time.monotonic() - began < 2
    assert memory() - before < (5 if behaviour.startswith("endless") else 20)
    attempt = (await webhooks.attempts())[0]
    assert (await webhooks.delivery())["state"] == ("delivered" if "200" in behaviour else "pending")
    assert attempt["response"] is None or len(attempt["response"]) <= 1000
    assert webhooks.receiver.ledger[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("behaviour", "error"), [("drip-header", "timeout"), ("early-hints", "timeout"), ("drip-body", "http_status")]
)
async def test_w_08_dripping_answers_end_in_time(webhooks: Webhooks, behaviour: str, error: str) -> None:
    """B-163: the whole POST has one deadline, 15 seconds as it comes; here 1."""
    assert type(webhooks.runtime.settings).model_fields["webhook_timeout"].default == 15
    await webhooks.endpoint(behaviour)
    await webhooks.happen()
    began = time.monotonic()
    await webhooks.tick()
    assert time.monotonic() - began < 2.5
    assert (await webhooks.attempts())[0]["error"] == error


@pytest.mark.parametrize("behaviour", ["many-headers", "large-header"])
async def test_w_09_huge_headers_are_refused(webhooks: Webhooks, behaviour: str) -> None:
    await webhooks.endpoint(behaviour)
    await webhooks.happen()
    await webhooks.tick()
    assert (await webhooks.attempts())[0]["error"] == "too_large"
    assert (await webhooks.delivery())["state"] == "pending"


@pytest.mark.parametrize(("behaviour", "error"), [("reset", "reset"), ("silent", "timeout"), ("garbage", "protocol")])
async def test_w_11_silence_resets_and_garbage_count_once(webhooks: Webhooks, behaviour: str, error: str) -> None:
    await webhooks.endpoint(behaviour)
    await webhooks.happen()
    await webhooks.tick()
    assert [attempt["error"] for attempt in await webhooks.attempts()] == [error]
    assert (await webhooks.delivery())["state"] == "pending"
    assert await webhooks.tick() == 0
    assert len(webhooks.receiver.ledger) == 1


async def test_w_11_nobody_listens_and_no_such_name(webhooks: Webhooks) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert (await webhooks.client.post(url, b"", {}, timeout=2)).error == "connect"

    async def nowhere(host: str, port: int, family: int) -> Iterable[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    answer = await post(WebhookClient(Vetting(()), concurrency=1, lookup=nowhere), "https://a.example/")
    assert answer.error == "dns"


async def test_tls_is_checked_against_the_name(settings: Any) -> None:
    """The address is ours to vet, the certificate is still the name's."""
    authority = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hooks.example").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    vetting = Vetting(settings.webhook_networks())
    try:
        for name, tls, status, error in (
            ("hooks.example", trusting, 204, None),
            ("other.example", trusting, None, "tls"),
            ("hooks.example", None, None, "tls"),
        ):
            client = WebhookClient(vetting, concurrency=1, lookup=Names(["127.0.0.1"]), tls=tls)
            got = await post(client, f"https://{name}:{port}/", timeout=5)
            assert (got.status, got.error) == (status, error)
    finally:
        server.close()


async def test_w_14_nothing_is_remembered_and_no_connection_is_shared(webhooks: Webhooks) -> None:
    await webhooks.endpoint("cookie")
    await webhooks.endpoint("cookie?other")
    await webhooks.happen(webhooks.sent(), webhooks.sent())
    for _ in range(3):
        await webhooks.tick()
    got = webhooks.receiver.ledger
    assert len(got) == 4
    assert not any("cookie" in received.headers for received in got)
    assert len({received.connection for received in got}) == 4


async def test_the_environments_proxy_is_not_used(webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver.running() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        await webhooks.endpoint()
        await webhooks.happen()
        await webhooks.tick()
        assert proxy.connections == 0
    assert len(webhooks.receiver.ledger) == 1
    assert os.environ["http_proxy"]


async def test_what_a_receiver_answers_is_kept_as_clean_text_for_failures_only(webhooks: Webhooks) -> None:
    await webhooks.endpoint("nul")
    await webhooks.endpoint("status?code=200&body=thanks")
    await webhooks.happen()
    await webhooks.tick()
    kept = {attempt["status_code"]: attempt["response"] for attempt in await webhooks.attempts()}
    assert kept == {500: "a\ufffdb\ufffd!", 200: None}
    await webhooks.upkeep.forget(webhooks.now.replace(year=2027))
    assert {attempt["response"] for attempt in await webhooks.attempts()} == {None}
