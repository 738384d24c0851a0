"""`examples/consume_events.py` as its users run it: a program of its own, on a real broker."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
import pytest
from contract.messages.samples import sample

from shared.bus.bus import EVENTS, BusMessage
from shared.bus.rabbit import RabbitBus
from shared.domain.events import MessageFailed, MessageSent, ReminderCompleted, ReminderCreated
from shared.messages.catalogue import Message
from shared.messages.envelope import encode

EXAMPLE = Path(__file__).parents[2] / "examples" / "consume_events.py"
SUBJECT = "0199a5d0-7c00-7000-8000-000000000009"
QUEUE = f"example.{uuid4()}"


@pytest.fixture
async def bus(bus_url: str) -> AsyncIterator[RabbitBus]:
    async with asyncio.timeout(30):
        opened = await RabbitBus.connect(bus_url)
    yield opened
    await opened.close()


def told(kind: type[Message], sequence: int, *, id: UUID | None = None, version: int = 1) -> BusMessage:
    """An event as the relay publishes it."""
    event_id = id or uuid4()
    envelope = sample(kind).model_copy(update={"id": event_id, "sequence": sequence, "version": version})
    return BusMessage(EVENTS, envelope.routing_key, event_id, encode(envelope))


@asynccontextmanager
async def consumer(url: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The example, listening."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # our packages are not to be found: it has to get by without
        str(EXAMPLE),
        url,
        f"--queue={QUEUE}",
        "--seconds=20",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            assert (await process.stdout.readline()).startswith(b"listening")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def lines_of(process: asyncio.subprocess.Process) -> list[str]:
    async with asyncio.timeout(25):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode().splitlines()


async def test_the_example_tells_repeats_gaps_and_news_apart(bus: RabbitBus, bus_url: str) -> None:
    twice = uuid4()
    story = [
        told(ReminderCreated, 1),
        told(MessageSent, 2, id=twice),
        told(MessageSent, 2, id=twice),
        told(ReminderCompleted, 4),
        told(MessageFailed, 3),
        told(MessageSent, 5, version=9),
        BusMessage(EVENTS, "message.sung.v1", uuid4(), b"\xff not JSON"),
    ]
    async with consumer(bus_url, f"--limit={len(story)}") as process:
        for message in story:
            await bus.publish([message])
        lines = await lines_of(process)
    assert lines == [
        f"{SUBJECT} #1 reminder.created v1: not known here, passed over",
        f"{SUBJECT} #2 message.sent v1: sent at 2026-03-02T08:31:00.250000Z by twilio",
        f"passed over: {twice} came before",
        f"{SUBJECT} #4 reminder.completed v1: all done",
        f"{SUBJECT} still misses #3",
        f"{SUBJECT} #3 message.failed v1: not sent: the provider was not reachable",
        f"{SUBJECT} #5 message.sent v9: not known here, passed over",
        "passed over: not an event",
    ]
    assert await waiting(bus_url) == 0


async def test_the_example_finds_what_came_while_it_was_away(bus: RabbitBus, bus_url: str) -> None:
    async with consumer(bus_url, "--binding=message.#", "--limit=1") as process:
        await bus.publish([told(MessageSent, 1)])
        await lines_of(process)
    await bus.publish([told(ReminderCreated, 2), told(MessageFailed, 3)])
    assert await waiting(bus_url) == 1
    async with consumer(bus_url, "--binding=message.#", "--limit=1") as process:
        lines = await lines_of(process)
    assert [line.split(":")[0] for line in lines] == [f"{SUBJECT} #3 message.failed v1"]


async def waiting(url: str) -> int:
    """How many messages are left in the example's queue."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(QUEUE, passive=True)
        return queue.declaration_result.message_count or 0


def test_the_example_knows_only_what_is_published() -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    assert "import shared" not in source
    assert "from shared" not in source
    for kind in (MessageSent, MessageFailed, ReminderCompleted):
        assert f'("{kind.TYPE}", {kind.VERSION})' in source
        assert dataclasses.is_dataclass(kind)
