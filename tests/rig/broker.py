"""The broker that tests speak to: a private node, or the one that BELLTOWER_TEST_AMQP_URL names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rig.rabbitmq import RabbitNode, private_rabbitmq

_BATCH = 25


class Broker(Protocol):
    """Hands out addresses where no other test has left anything."""

    def fresh_url(self) -> str:
        """The address of a virtual host that is new, or as good as."""
        ...


class PrivateBroker:
    """A node of this run; makes virtual hosts by the batch, since each call of rabbitmqctl takes a second."""

    def __init__(self, node: RabbitNode) -> None:
        self.node = node
        self._made = 0
        self._ready: list[str] = []

    def fresh_url(self) -> str:
        if not self._ready:
            self._ready = [f"test{self._made + number}" for number in range(_BATCH)]
            self._made += _BATCH
            self.node.add_vhosts(self._ready)
        return self.node.url(self._ready.pop(0))


class GivenBroker:
    """Somebody's broker: one virtual host for all tests, which have to empty what they use."""

    def __init__(self, url: str) -> None:
        self._url = url

    def fresh_url(self) -> str:
        return self._url


@contextmanager
def the_broker() -> Iterator[Broker]:
    """A broker for the time of the block."""
    if url := os.environ.get("BELLTOWER_TEST_AMQP_URL"):
        yield GivenBroker(url)
        return
    with private_rabbitmq() as node:
        yield PrivateBroker(node)
