"""A bus on an empty virtual host, straight or through a network that fails on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from contract.bus_tools import forget_queues
from contract.rabbit.tools import connected, end
from yarl import URL

from rig.broker import Broker, PrivateBroker
from rig.proxy import Mode, Proxy
from rig.rabbitmq import RabbitNode
from shared.bus.rabbit import RabbitBus


@pytest.fixture
async def url(bus_url: str) -> str:
    await forget_queues(bus_url)
    return bus_url


@pytest.fixture
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    """A view of the broker from beside the bus."""
    connection = await aio_pika.connect(url)
    yield await connection.channel()
    await connection.close()


@pytest.fixture
async def bus(url: str) -> AsyncIterator[RabbitBus]:
    opened = await connected(url)
    yield opened
    await end(opened)


@pytest.fixture
async def proxy(url: str) -> AsyncIterator[Proxy]:
    async with Proxy(URL(url).port or 5672) as opened:
        yield opened


@pytest.fixture
async def far_bus(url: str, proxy: Proxy) -> AsyncIterator[RabbitBus]:
    """A bus that reaches its broker through the proxy."""
    opened = await connected(str(URL(url).with_port(proxy.port)))
    yield opened
    await proxy.set(Mode.RESET_ALL)
    await end(opened)


@pytest.fixture
def node(rabbitmq: Broker) -> RabbitNode:
    if not isinstance(rabbitmq, PrivateBroker):
        pytest.skip("needs a broker of its own to stop and start")
    return rabbitmq.node
