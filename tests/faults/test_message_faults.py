"""Messages that come again, come damaged, are taken by others or are refused: each good one has its effect once."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import aio_pika
import pytest

from shared.bus.bus import COMMANDS, EVENTS, SEND_DUE, WEBHOOK_EVENTS, BusMessage, Queue
from shared.bus.rabbit import RabbitBus
from tests.rig.house import House
from tests.rig.listener import forget
from tests.rig.receiver import Receiver
from tests.rig.sizes import pick
from tests.rig.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="session")

Figure = Callable[[str], None]
BACK_WITHIN = 10.0


async def test_every_message_comes_four_times_and_out_of_order_b_07(house: House, trial: Trial, figure: Figure) -> None:
    again = "x-again"
    events = Queue(f"test.echo.{uuid4().hex}", EVENTS, "#", prefetch=64)
    commands = Queue(f"test.echo.{uuid4().hex}", COMMANDS, "#", prefetch=64)
    copies: list[BusMessage] = []

    async def echo(message: BusMessage) -> None:
        if again in message.headers:
            return
        copies.extend(
            BusMessage(message.exchange, message.routing_key, message.id, message.body, {again: str(n)})
            for n in range(3)
        )
        if len(copies) >= 30:
            batch, copies[:] = copies[::-1], []
            await bus.publish(batch[::2] + batch[1::2])

    bus = await RabbitBus.connect(house.bus_url, queues=[events, commands])
    try:
        await bus.consume(events, echo)
        await bus.consume(commands, echo)
        async with Receiver.running() as receiver:
            await trial.endpoint(receiver)
            async with trial.loaded():
                await asyncio.sleep(pick(3, 20))
            seconds = await trial.check()
            posts = Counter(post.json()["id"] for post in receiver.ledger)
    finally:
        await bus.stop_consuming(drain=1)
        await bus.close()
        for queue in (events, commands):
            await forget(house.bus_url, queue)
    assert set(posts.values()) == {1}
    calls = len(trial.provider.calls) - trial.began
    assert calls == trial.client.statuses()[201]
    figure(f"B-07: each message four times, shuffled: {calls} sends, {calls} calls, {len(posts)} webhooks, each once")
    assert seconds < 30


async def test_a_deleted_exchange_and_deleted_queues_come_back_b_08_b_09(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, back = house.pids, []
    async with await aio_pika.connect(house.bus_url) as connection:
        channel = await connection.channel()
        async with trial.loaded(callers=2):
            for _ in range(pick(1, 5)):
                for delete in (
                    channel.exchange_delete(COMMANDS),
                    channel.exchange_delete(EVENTS),
                    channel.queue_delete(SEND_DUE.name),
                    channel.queue_delete(WEBHOOK_EVENTS.name),
                ):
                    await delete
                    began = time.monotonic()
                    await asyncio.sleep(0.5)
                    await house.ready(within=BACK_WITHIN)
                    back.append(time.monotonic() - began)
            queue = await channel.get_queue(SEND_DUE.name)
            await queue.unbind(COMMANDS, SEND_DUE.binding)
            await asyncio.sleep(2)
            calmed_at = datetime.now(UTC)
        await trial.until_ended()
        assert await trial.ask("select count(*) from occurrences where state = 'sent'")
    books = await trial.books(calmed_at=calmed_at)
    seconds = await trial.until_ended()
    assert set(trial.client.statuses("create")) == {201}
    assert house.pids == before
    missing = [event for event in books.rows.events if event.type == "message.sent"]
    assert len(missing) == trial.client.statuses()[201], "a send was lost with its queue"
    figure(
        f"B-08, B-09: exchanges, queues and a binding deleted under load: {len(missing)} sends, 0 lost, consumers back "
        f"in {max(back):.1f} s, settled in {seconds:.1f} s"
    )


def _poison(n: int) -> list[BusMessage]:
    """One of each kind for both exchanges: no JSON, another shape, too large, from the future, without its row."""
    envelope = {
        "id": str(uuid4()),
        "type": "send.due",
        "version": 1,
        "account_id": None,
        "at": datetime.now(UTC).isoformat(),
        "subject": None,
        "sequence": 0,
        "data": {"due": [{"occurrence_id": str(uuid4()), "version": 1}]},
    }
    bodies = [b"\xff\x00 not JSON", b"[1, 2]", b'{"id": 1}', b"x" * (5_000_000 if n == 0 else 50_000)]
    bodies += [json.dumps({**envelope, **more}).encode() for more in ({"version": 99}, {"data": {"due": 7}}, {})]
    return [
        BusMessage(exchange, key, uuid4(), body)
        for exchange, key in ((COMMANDS, "send.due.v1"), (EVENTS, "message.sent.v1"))
        for body in bodies
    ]


async def test_poison_is_put_aside_with_its_reason_and_harms_no_good_message_b_10(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, rounds = house.pids, pick(10, 75)
    bus = await RabbitBus.connect(house.bus_url, queues=[SEND_DUE, WEBHOOK_EVENTS])
    try:
        async with Receiver.running() as receiver:
            await trial.endpoint(receiver)
            async with trial.loaded():
                for n in range(rounds):
                    await bus.publish(_poison(n))
            seconds = await trial.check()
        commands = await bus.dead_letters(SEND_DUE, limit=10_000)
        events = await bus.dead_letters(WEBHOOK_EVENTS, limit=10_000)
        assert len(commands) == rounds * 6, "a valid command without its row is acknowledged, all else is put aside"
        assert all(letter.reason for letter in (*commands, *events))
        replayed = await bus.replay_dead_letters(SEND_DUE, limit=5)
        async with asyncio.timeout(10):
            while len(await bus.dead_letters(SEND_DUE, limit=10_000)) < len(commands):
                await asyncio.sleep(0.2)
    finally:
        await bus.close()
    dead = (await house.processes["dispatcher"][0].metrics())[
        'belltower_dead_letters_total{queue="dispatcher.send-due"}'
    ]
    assert dead >= len(commands)
    assert house.pids == before
    figure(
        f"B-10: {rounds * 14} poisoned messages among {trial.client.statuses()[201]} reminders: "
        f"{len(commands)} commands and {len(events)} events put aside, {replayed} replayed and back, "
        f"settled in {seconds:.1f} s"
    )


async def _misbehave(house: House, stopping: asyncio.Event, *, dies: bool) -> None:
    """Take what is the dispatchers' and do nothing with it; one that `dies` gives it back by its death, each time."""
    while not stopping.is_set():
        taken = asyncio.Event()
        async with await aio_pika.connect(house.bus_url) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=8)
            queue = await channel.get_queue(SEND_DUE.name)
            await queue.consume(partial(_take, taken))
            while not (stopping.is_set() or (dies and taken.is_set())):
                await asyncio.sleep(0.01)


async def _take(taken: asyncio.Event, _: object) -> None:
    taken.set()


@pytest.mark.parametrize("manner", ["never acknowledges", "dies with every message"])
async def test_a_bad_consumer_beside_ours_delays_and_loses_nothing_b_11(
    house: House, trial: Trial, figure: Figure, manner: str
) -> None:
    stopping = asyncio.Event()
    rogue = asyncio.create_task(_misbehave(house, stopping, dies=manner != "never acknowledges"))
    async with trial.loaded(callers=2):
        await asyncio.sleep(pick(3, 20))
    await trial.until_ended(within=40)
    stopping.set()
    await rogue
    seconds = await trial.check()
    late = max(call.at for call in trial.provider.calls) - trial.client.log[-1].asked_at.timestamp()
    figure(
        f"B-11: a consumer that {manner}: {trial.client.statuses()[201]} sends, 0 lost, the last one "
        f"{late:.1f} s after it was asked for, settled in {seconds:.1f} s"
    )


async def test_a_full_queue_refuses_and_nothing_is_dropped_b_13(house: House, trial: Trial, figure: Figure) -> None:
    names = "^(dispatcher.send-due|webhooks.events)$"
    async with Receiver.running() as receiver:
        await trial.endpoint(receiver)
        await house.ctl("set_policy", "--apply-to", "queues", "short", names, '{"max-length": 1}')
        try:
            async with trial.loaded(callers=8, pause=0.02):
                await asyncio.sleep(pick(3, 20))
        finally:
            await house.ctl("clear_policy", "short")
        calmed_at = datetime.now(UTC)
        seconds = await trial.check(calmed_at=calmed_at, within=120)
    assert set(trial.client.statuses("create")) == {201}
    refused = sum(
        line.get("event") in {"events_unconfirmed", "send_due_unconfirmed"}
        for process in house.every
        for line in process.lines()
    )
    figure(
        f"B-13: queues of one message: {trial.client.statuses()[201]} reminders, refused batches told {refused} times, "
        f"nothing dropped, settled in {seconds:.1f} s"
    )


async def test_a_queue_of_another_kind_stops_a_service_with_a_clear_word_b_15(
    house: House, trial: Trial, figure: Figure
) -> None:
    await asyncio.to_thread(house.node.add_vhosts, ["mismatched"])
    url = house.node.url("mismatched")
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(SEND_DUE.name, durable=True)
    began = time.monotonic()
    process = house.another("dispatcher", BUS_URL=url)
    process.start()
    code = await process.ended(within=20)
    took = time.monotonic() - began
    text = process.log.read_text()
    assert code != 0
    assert SEND_DUE.name in text
    assert len(text.splitlines()) < 30
    figure(f"B-15: a queue that was declared otherwise: the service ends with code {code} after {took:.1f} s")
