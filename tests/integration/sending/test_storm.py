"""Callers, schedulers, a dispatcher whose leases run out, and a provider that loses answers: all at once."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from services.api.core.changes import Change, change_reminder
from services.api.core.policy import Core
from services.api.core.reminders import Held, delete_reminder, hold
from services.scheduler.scheduler import Scheduler
from services.scheduler.sentinel import Sentinel
from shared.domain.draft import draft_of
from shared.domain.refusal import Refused
from shared.domain.reminder import CancelOutcome, Status
from shared.domain.schedule import Times
from shared.store import configurations, occurrences
from shared.store.database import Connection
from tests.integration.sending.conftest import Sending
from tests.rig.provider_behaviour import Behaviour

ODD = [Behaviour.FAIL_BEFORE, Behaviour.FAIL_AFTER, Behaviour.RESET_AFTER, Behaviour.RESET_BEFORE, Behaviour.REJECT]
REMINDERS = 40
CHANGES = 6


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", base64.b64encode(bytes(32)).decode())


async def _change(sending: Sending, tx: Connection, held: Held, random: Random) -> CancelOutcome | None:
    """One change out of those that callers may make."""
    configuration = await configurations.get_by_row(tx, account_id=sending.account, id=sending.configuration)
    assert configuration is not None
    now, draft = await occurrences.database_now(tx), draft_of(held.reminder)
    times = Times.of([now + timedelta(seconds=random.choice([0.02, 0.2])), now + timedelta(days=1)])
    what = random.choice(["cancel", "cancel", "replace", "rewrite", "delete"])
    if what == "delete":
        return await delete_reminder(tx, held, now=now)
    change = {
        "cancel": Change(status=Status.CANCELLED),
        "replace": Change(draft=replace(draft, schedule=times), status=Status.ACTIVE),
        "rewrite": Change(draft=replace(draft, text=f"Hello {random.random()}")),
    }[what]
    core = Core.from_settings(sending.runtime.settings)
    return (await change_reminder(tx, core, configuration, held, change, now=now)).cancel_outcome


async def _caller(sending: Sending, reminder: UUID, random: Random) -> None:
    """Changes one reminder again and again; what was called prevented has not started by the next change."""
    for _ in range(CHANGES):
        try:
            async with sending.runtime.db.transaction() as tx:
                held = await hold(tx, account_id=sending.account, id=reminder)
                outcome = await _change(sending, tx, held, random)
        except Refused:  # it is deleted, or nothing is left to send
            continue
        answered = await sending.now()
        await asyncio.sleep(random.random() * 0.1)
        if outcome is CancelOutcome.PREVENTED:
            started = "select from occurrences where reminder_id = $1 and attempt_started_at > $2"
            assert await sending.fetch(started, reminder, answered) == []


async def _for_ever(work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await work()
        await asyncio.sleep(0.005)


async def test_whatever_meets_nothing_is_stuck_doubled_or_told_with_a_gap(sending: Sending) -> None:
    """B-039, B-053, B-062, B-262, B-266: seven kinds of writers over the same rows."""
    random = Random(7)
    reminders = [await sending.remind(random.random() * 0.3, 3000) for _ in range(REMINDERS)]
    schedule = {"kind": "times", "send_times": ["2030-01-01T00:00:00Z"]}
    await sending.execute("update reminders set schedule = $1", schedule)
    sending.provider.next.extend(random.choice([*ODD, *[Behaviour.ACCEPT] * 3]) for _ in range(200))
    sending.provider.latency = (0.0, 0.05)

    async def lose_leases() -> None:
        await sending.execute(
            """update occurrences set lease_until = clock_timestamp() where id in
                   (select id from occurrences where lease_until > clock_timestamp() and random() < 0.2
                    for update skip locked)"""
        )
        await sending.execute("update occurrences set due_at = scheduled_for where state = 'scheduled' and attempt > 0")

    sentinel = Sentinel(sending.runtime, batch=7)

    async def look_on() -> None:
        await sentinel.tick()
        await sending.execute("update schedule_watch set ended_at = null")

    other = Scheduler(sending.runtime)
    works = [sending.scheduler.tick, other.tick, sending.scheduler.rescue, other.rescue, lose_leases, look_on]
    loops = [asyncio.create_task(_for_ever(work)) for work in works]
    await asyncio.gather(*(_caller(sending, reminder, Random(n)) for n, reminder in enumerate(reminders)))
    for loop in loops:
        assert not loop.done(), loop.exception()
        loop.cancel()
    await asyncio.wait(loops)
    await _settle(sending)
    for reminder in reminders:
        assert "schedule.repaired" not in await sending.events(reminder)
    assert max(Counter(call.occurrence_id for call in sending.provider.messages).values()) == 1


async def _settle(sending: Sending) -> None:
    """Let everything under way end; then nothing is held, and only active reminders have something before them."""
    sending.provider.next.clear()
    for _ in range(8):
        await sending.let_leases_run_out()
        await sending.scheduler.rescue()
        await sending.execute("update occurrences set due_at = scheduled_for where state = 'scheduled'")
        await sending.ring()
    assert await sending.fetch("select from occurrences where state in ('queued', 'sending')") == []
    stuck = """select r.status, o.state from reminders r
               left join occurrences o on o.reminder_id = r.id and o.state = 'scheduled'
               where (r.status = 'active') <> (o.id is not null)"""
    assert await sending.fetch(stuck) == []
