"""Names that change their mind, for every address of the list: no socket is ever made for what is inside (W-06).

A name that is public when it is looked at and private when it is used is the one trick that a check of text cannot see.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from itertools import count
from typing import Any

import pytest

from services.webhooks.client import WebhookClient
from services.webhooks.vetting import Vetting
from tests.rig.receiver import Receiver
from tests.unit.test_address_guard import LITERALS, RANGES

ROUNDS = 100 if os.environ.get("BELLTOWER_FAULTS", "small") == "small" else 1_000
"""For each address; `make faults` asks for 1,000."""

PUBLIC = "93.184.216.34"
INSIDE = sorted({str(network[0]) for network in map(ip_network, RANGES)} | {str(ip_network(n)[-1]) for n in RANGES})
"""The first and the last address of every range of the list."""


class Watched(Vetting):
    """Lets no socket out, and notes for which addresses one was made."""

    def __init__(self) -> None:
        super().__init__(())
        self.made: list[str] = []

    def make_socket(self, candidate: Any) -> socket.socket:
        super().make_socket(candidate).close()
        self.made.append(candidate[4][0])
        raise OSError("this test sends nothing")


class ChangingMind:
    """A name service whose answers go round: public, private, both."""

    def __init__(self, inside: str) -> None:
        self.answers = [[PUBLIC], [inside], [PUBLIC, inside], [inside, PUBLIC], [inside, inside]]
        self.asked = count()

    async def __call__(self, host: str, port: int, family: int) -> Iterable[Any]:  # noqa: ARG002 - a name service's
        answer = self.answers[next(self.asked) % len(self.answers)]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in answer
        ]


async def test_b_151_no_socket_is_made_for_any_address_of_the_list(figure: Callable[[str], None]) -> None:
    rounds = 0
    for inside in INSIDE:
        vetting = Watched()
        client = WebhookClient(vetting, concurrency=50, lookup=ChangingMind(inside))
        url = "https://rebind.example/"
        for start in range(0, ROUNDS, 50):
            posts = [client.post(url, b"{}", {}, timeout=5) for _ in range(min(50, ROUNDS - start))]
            answers = await asyncio.gather(*posts)
            assert all(answer.status is None for answer in answers)
            rounds += len(posts)
        await client.close()
        assert set(vetting.made) == {PUBLIC}, inside
    figure(
        f"{len(INSIDE)} addresses inside x {ROUNDS} rounds of a name that changes its mind: "
        f"0 sockets to the inside in {rounds} POSTs"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_b_151_a_literal_that_came_past_the_check_of_text_reaches_nothing(scheme: str) -> None:
    """Literals never come to the name service; what libraries make of odd ones is judged as an address."""
    async with Receiver.running() as canary:
        vetting = Watched()
        client = WebhookClient(vetting, concurrency=50)
        for literal in LITERALS:
            with contextlib.suppress(ValueError):
                answer = await client.post(f"{scheme}://{literal}:{canary.port}/", b"{}", {}, timeout=5)
                assert answer.status is None, literal
        await client.close()
        assert vetting.made == []
        assert canary.connections == 0


async def test_b_151_a_canary_on_loopback_is_never_connected_to() -> None:
    """A real server listens there, and nothing but the guard is in between."""
    async with Receiver.running() as canary:
        for inside in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "127.255.255.254"):  # noqa: S104 - targets
            names = ChangingMind(inside)
            names.answers = [[inside], [inside, inside]]
            client = WebhookClient(Vetting(()), concurrency=20, lookup=names)
            url = f"http://rebind.example:{canary.port}/"
            answers = await asyncio.gather(*(client.post(url, b"{}", {}, timeout=5) for _ in range(ROUNDS)))
            assert {answer.error for answer in answers} == {"refused_address"}
            await client.close()
        assert canary.connections == 0
