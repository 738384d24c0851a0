"""kill -9 of the API and of the webhook service: callers repeat, and what they were promised is there once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from tests.rig.client import all_of
from tests.rig.processes import running
from tests.rig.receiver import Receiver
from tests.rig.sizes import pick
from tests.rig.trial import Trial

Figure = Callable[[str], None]


async def test_an_api_that_is_killed_while_it_writes_loses_and_doubles_nothing_r_04(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    writes, kills, callers = pick(640, 4_992), pick(5, 10), 16
    due = datetime.now(UTC) + timedelta(hours=1)

    async def call(number: int) -> None:
        for n in range(writes // callers):
            answered = await own.client.create(f"reminder {number} {n}", due, tries=200)
            assert answered.promised, answered

    async with running({"api": 2}, environment, tmp_path) as processes:
        own.client.targets = all_of(processes["api"])
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(call(number))
            for victim, turn in zip(cycle(processes["api"]), range(kills), strict=False):
                async with asyncio.timeout(60):
                    while len(own.client.log) < writes * turn // kills:
                        await asyncio.sleep(0.01)
                victim.kill()
                await victim.start().ready()
        seconds = await own.check()
    books = await own.books()
    assert len(books.rows.reminders) == writes, "lost or doubled"
    assert Counter(event.type for event in books.rows.events) == {"reminder.created": writes}
    unanswered = own.client.statuses().get(None, 0)
    figure(
        f"R-04: {writes} creates from {callers} callers, {kills} × kill -9 of the API, {unanswered} requests without "
        f"an answer: 0 lost, 0 double, one event each, settled in {seconds:.1f} s"
    )


async def test_a_webhook_service_that_is_killed_delivers_everything_r_05(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    sends, kills, at_once = pick(120, 5_000), pick(3, 10), 50
    more = {
        "BELLTOWER_WEBHOOK_LEASE": "4",
        "BELLTOWER_WEBHOOK_TIMEOUT": "2",
        "BELLTOWER_WEBHOOK_CONCURRENCY": str(at_once),
    }
    services = {"api": 1, "scheduler": 1, "dispatcher": 1, "webhooks": 2}
    async with AsyncExitStack() as stack:
        receivers = [await stack.enter_async_context(Receiver.running()) for _ in range(3)]
        processes = await stack.enter_async_context(running(services, environment | more, tmp_path))
        own.client.targets = all_of(processes["api"])
        for receiver in receivers:
            await own.endpoint(receiver, behaviour="silent?for=0.05")
        await own.seed(sends, due_in=1)
        for victim, turn in zip(cycle(processes["webhooks"]), range(kills), strict=False):
            async with asyncio.timeout(90):
                while sum(len(receiver.ledger) for receiver in receivers) < 2 * sends * (turn + 1) // kills:
                    await asyncio.sleep(0.01)
            victim.kill()
            victim.start()
        calmed_at = datetime.now(UTC)
        seconds = await own.check(calmed_at=calmed_at, within=90)
    books = await own.books()
    posts = Counter(one.id for one in books.heard or ())
    repeats = posts.total() - len(posts)
    assert len(posts) == 3 * sends
    assert repeats <= kills * at_once
    assert max(row.attempt for row in books.rows.deliveries) <= 8
    figure(
        f"R-05: {sends} events for 3 endpoints, {kills} × kill -9 of a webhook service: {len(posts)} deliveries, "
        f"0 lost, {repeats} repeats with the same id, all over {seconds:.1f} s after the last kill"
    )
