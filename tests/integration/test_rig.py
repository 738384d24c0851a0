"""The rig itself: servers that come back, and a network that fails as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aio_pika
import asyncpg
import psutil
import pytest

from rig.broker import Broker, PrivateBroker
from rig.postgres import PostgresServer, private_postgres
from rig.proxy import Mode, Proxy
from rig.rabbitmq import RabbitNode


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_the_private_postgres_answers_and_is_not_run_by_root(postgres_server: PostgresServer) -> None:
    assert await ask(postgres_server.dsn(), "select current_user || '@' || current_database()") == "belltower@belltower"
    assert psutil.Process(postgres_server.pid).uids().effective != 0


async def test_a_stranger_without_the_password_is_turned_away(postgres_server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.dsn(), password="a guess")


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with private_postgres(durable=True) as server:
        yield server


async def test_a_durable_postgres_gives_up_no_setting(durable_server: PostgresServer) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await ask(durable_server.dsn(), f"show {setting}") == "on"


async def test_a_killed_postgres_comes_back_with_its_data_on_its_port(durable_server: PostgresServer) -> None:
    open_connection = await asyncpg.connect(durable_server.dsn())
    await open_connection.execute("create table kept as select 42 as answer")
    before = durable_server.dsn(), durable_server.pid

    durable_server.kill()
    durable_server.start()

    open_connection.terminate()
    assert durable_server.dsn() == before[0]
    assert durable_server.pid != before[1]
    assert await ask(durable_server.dsn(), "select answer from kept") == 42


@pytest.fixture
def private_node(rabbitmq: Broker) -> RabbitNode:
    assert isinstance(rabbitmq, PrivateBroker), "needs a node of our own: unset BELLTOWER_TEST_AMQP_URL"
    return rabbitmq.node


def test_the_private_rabbitmq_is_not_run_by_root(private_node: RabbitNode) -> None:
    assert psutil.Process(private_node.pid).uids().effective != 0


async def put(url: str, queue: str, body: bytes) -> int:
    """Publish one persistent message with a confirm; return how many now wait."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue)
        again = await channel.declare_queue(queue, passive=True)
        return again.declaration_result.message_count or 0


async def test_the_private_rabbitmq_confirms_a_message(bus_url: str) -> None:
    assert await put(bus_url, "bell", b"ring") == 1


async def test_no_test_sees_the_messages_of_another(rabbitmq: Broker, private_node: RabbitNode) -> None:
    assert [await put(rabbitmq.fresh_url(), "bell", b"ring") for _ in range(3)] == [1, 1, 1]


async def test_a_killed_rabbitmq_comes_back_with_its_messages(bus_url: str, private_node: RabbitNode) -> None:
    await put(bus_url, "bell", b"before")
    private_node.settle()
    private_node.kill()
    private_node.start()
    assert await put(bus_url, "bell", b"after") == 2


class Echo:
    """A server that answers what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(100):
                self.heard += piece
                writer.write(piece)
        except ConnectionResetError:
            pass
        finally:
            writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.answer, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


class Line:
    """A client's open connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, words: bytes, within: float = 2.0) -> bytes:
        self.writer.write(words)
        return await asyncio.wait_for(self.reader.read(100), within)


@pytest.fixture
async def line(proxy: Proxy) -> AsyncIterator[Line]:
    line = Line(*await asyncio.open_connection("127.0.0.1", proxy.port))
    assert await line.say(b"hello") == b"hello"
    yield line
    line.writer.transport.abort()


async def test_a_passing_proxy_hands_over_the_end_as_well(line: Line) -> None:
    line.writer.write_eof()
    assert await line.reader.read() == b""


async def test_a_blackhole_swallows_both_ways_and_closes_nothing(proxy: Proxy, line: Line, echo: Echo) -> None:
    await proxy.set(Mode.BLACKHOLE)
    with pytest.raises(TimeoutError):
        await line.say(b"lost", within=0.2)
    assert echo.heard == b"hello"
    await proxy.set(Mode.PASS)
    assert await line.say(b"healed") == b"healed"


async def test_a_dropped_reply_was_heard_all_the_same(proxy: Proxy, line: Line, echo: Echo) -> None:
    await proxy.set(Mode.DROP_REPLY)
    with pytest.raises(TimeoutError):
        await line.say(b", world", within=0.2)
    assert echo.heard == b"hello, world"


async def test_a_refusing_proxy_takes_no_one_new_and_then_does_again(proxy: Proxy, line: Line) -> None:
    await proxy.set(Mode.REFUSE)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await line.say(b"still here") == b"still here"
    await proxy.set(Mode.PASS)
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.transport.abort()


async def test_a_resetting_proxy_breaks_open_and_new_connections(proxy: Proxy, line: Line) -> None:
    await proxy.set(Mode.RESET_ALL)
    with pytest.raises(ConnectionResetError):
        await line.say(b"lost")
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(1), 2)
    writer.transport.abort()


async def test_a_delaying_proxy_takes_its_time_both_ways(proxy: Proxy, line: Line) -> None:
    await proxy.set(Mode.DELAY, delay=0.1)
    began = asyncio.get_running_loop().time()
    assert await line.say(b"slow") == b"slow"
    assert asyncio.get_running_loop().time() - began >= 0.2
