"""A reminder that could never ring is found, mended and told of; what is sound is never touched (decision 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from services.scheduler.sentinel import BETWEEN, PASS_EVERY, Sentinel
from shared.domain.outcome import Unknown
from shared.runtime.ledger import Answer
from shared.store.lags import lags
from tests.integration.sending.conftest import Sending
from tests.integration.sending.test_recurring import remind_daily
from tests.rig.provider_behaviour import Behaviour


async def a_pass(sending: Sending, *, batch: int = 1_000) -> int:
    """One full pass from the beginning; how many steps it took."""
    await sending.execute("update schedule_watch set after = null, ended_at = null")
    sentinel = Sentinel(sending.runtime, batch=batch)
    for steps in range(1, 100):
        if await sentinel.tick() != BETWEEN:
            return steps
    raise AssertionError("the pass does not end")


async def everything(sending: Sending) -> list[Any]:
    """All that the sentinel could have changed."""
    tables = ("reminders", "occurrences", "history", "outbox")
    return [await sending.fetch(f"select to_jsonb(t) as row from {table} t order by 1") for table in tables]


async def remind_times(sending: Sending, *due_in: float) -> UUID:
    """A reminder whose schedule says the times of its sends."""
    reminder = await sending.remind(*due_in)
    rows = await sending.fetch("select scheduled_for from occurrences where reminder_id = $1 order by seq", reminder)
    schedule = {"kind": "times", "send_times": [row["scheduled_for"].isoformat() for row in rows]}
    await sending.execute("update reminders set schedule = $2 where id = $1", reminder, schedule)
    return reminder


def repaired(how: str) -> float:
    return REGISTRY.get_sample_value("belltower_schedule_repaired_total", {"how": how}) or 0.0


async def test_a_recurring_one_without_a_next_send_gets_one_b_178(sending: Sending) -> None:
    reminder = await remind_daily(sending, -1)
    await sending.ring()
    await sending.execute("delete from occurrences where seq = 2")
    before = repaired("replanned")
    await a_pass(sending)
    row = await sending.occurrence(reminder, 2)
    assert (row["state"], row["scheduled_for"].hour) == ("scheduled", 9)
    assert row["scheduled_for"] > await sending.now()
    assert (await sending.events(reminder))[-1] == "schedule.repaired"
    assert (await sending.history(reminder))[-1] == "Updated"
    assert repaired("replanned") == before + 1


async def test_a_recurring_one_that_lost_all_its_sends_begins_again(sending: Sending) -> None:
    reminder = await remind_daily(sending, 60)
    await sending.execute("delete from occurrences")
    await a_pass(sending)
    assert (await sending.occurrence(reminder, 1))["state"] == "scheduled"


async def test_times_that_were_lost_are_planned_again_and_sent(sending: Sending) -> None:
    reminder = await remind_times(sending, -5, 3600)
    await sending.execute("delete from occurrences")
    await a_pass(sending)
    await sending.ring()
    assert [(await sending.occurrence(reminder, seq))["state"] for seq in (1, 2)] == ["sent", "scheduled"]


async def test_one_whose_sends_have_all_ended_is_ended_b_059(sending: Sending) -> None:
    reminder = await remind_times(sending, -5)
    await sending.ring()
    await sending.execute("update reminders set status = 'active', ended_at = null")
    await a_pass(sending)
    assert (await sending.reminder(reminder))["status"] == "completed"
    assert (await sending.events(reminder))[-2:] == ["schedule.repaired", "reminder.completed"]


async def test_one_whose_send_was_parked_and_that_was_left_active_is_ended_b_263(
    sending: Sending,
) -> None:
    reminder = await remind_times(sending, -5)
    (begun,) = await sending.begin()
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    await sending.execute("update occurrences set state = 'uncertain', ended_at = clock_timestamp(), takes_key = false")
    await a_pass(sending)
    assert (await sending.reminder(reminder))["status"] == "expired"
    assert (await sending.occurrence(reminder))["state"] == "uncertain"


@pytest.mark.parametrize("state", ["queued", "sending"])
async def test_a_send_that_is_held_for_ever_is_freed_and_sent(sending: Sending, state: str) -> None:
    reminder = await remind_times(sending, -5)
    await sending.begin() if state == "sending" else await sending.queue()
    await sending.execute("update occurrences set lease_until = clock_timestamp() + interval '30 years'")
    await sending.scheduler.rescue()
    assert (await sending.occurrence(reminder))["state"] == state
    await a_pass(sending)
    await sending.scheduler.rescue()
    await sending.listen()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_a_send_that_was_put_off_for_ever_is_due_again(sending: Sending) -> None:
    reminder = await remind_times(sending, -5)
    await sending.execute("update occurrences set due_at = clock_timestamp() + interval '30 years'")
    await a_pass(sending)
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_sends_that_stand_in_each_others_way_are_put_in_order_b_053(sending: Sending) -> None:
    reminder = await remind_times(sending, 90_000, -5)  # the second is due, and waits for the first
    await sending.ring()
    assert sending.provider.messages == []
    await a_pass(sending)
    await sending.ring()
    states = await sending.fetch("select state from occurrences where reminder_id = $1 order by seq", reminder)
    assert [row["state"] for row in states] == ["sent", "scheduled"]


async def test_what_is_sound_is_not_touched(sending: Sending) -> None:
    for behaviour in (Behaviour.ACCEPT, Behaviour.FAIL_BEFORE, Behaviour.REJECT, Behaviour.SLOW_DOWN):
        sending.provider.next.append(behaviour)
        await remind_times(sending, -1, 3600)
        await sending.ring()
    await remind_daily(sending, -1)
    await sending.ring()
    await remind_times(sending, 86_400 * 400)
    await remind_times(sending, -1)
    await sending.queue()
    await remind_times(sending, -1)
    await sending.begin()
    before = await everything(sending)
    await a_pass(sending)
    await a_pass(sending, batch=2)
    assert await everything(sending) == before


async def test_while_all_goes_on_as_it_should_nothing_is_mended(sending: Sending) -> None:
    """Schedulers, dispatcher, rescue, lost leases and a provider that fails, with two sentinels that never rest."""
    random = Random(11)
    recurring = [await remind_daily(sending, random.random()) for _ in range(20)]
    listed = [await remind_times(sending, random.random(), 1 + random.random(), 7200) for _ in range(20)]
    odd = [Behaviour.FAIL_BEFORE, Behaviour.FAIL_AFTER, Behaviour.RESET_AFTER, Behaviour.REJECT, Behaviour.SLOW_DOWN]
    sending.provider.next.extend(random.choice([*odd, *[Behaviour.ACCEPT] * 5]) for _ in range(200))
    sending.provider.latency = (0.0, 0.03)
    ended = asyncio.get_running_loop().time() + 2.5

    async def go_on(work: Callable[[], Awaitable[object]]) -> None:
        while asyncio.get_running_loop().time() < ended:
            await work()
            await asyncio.sleep(0.005)

    async def never_rest() -> None:
        await Sentinel(sending.runtime, batch=7).tick()
        await sending.execute("update schedule_watch set ended_at = null")

    async def lose_leases() -> None:
        await sending.execute(
            """update occurrences set lease_until = clock_timestamp() where id in
                   (select id from occurrences where lease_until > clock_timestamp() and random() < 0.1
                    for update skip locked)"""
        )
        await sending.execute("update occurrences set due_at = scheduled_for where state = 'scheduled' and attempt > 0")

    works = [sending.scheduler.tick, sending.scheduler.rescue, lose_leases, never_rest, never_rest]
    await asyncio.gather(*(go_on(work) for work in works))
    await sending.ring()
    for reminder in (*recurring, *listed):
        assert "schedule.repaired" not in await sending.events(reminder)
    assert len({call.occurrence_id for call in sending.provider.messages}) > 40


async def test_what_somebody_is_changing_is_left_to_the_next_pass(sending: Sending) -> None:
    reminder = await remind_times(sending, -5)
    await sending.execute("delete from occurrences")
    async with sending.runtime.db.transaction() as tx:
        await tx.execute("select id from reminders where id = $1 for update", reminder)
        async with asyncio.timeout(2):
            await a_pass(sending)
    assert await sending.fetch("select id from occurrences") == []
    await a_pass(sending)
    assert len(await sending.fetch("select id from occurrences")) == 1


async def test_a_pass_goes_on_where_another_process_left_it_and_rests_at_its_end(sending: Sending) -> None:
    lost = [await remind_times(sending, -5) for _ in range(6)]
    await sending.execute("delete from occurrences")
    one, other = Sentinel(sending.runtime, batch=4), Sentinel(sending.runtime, batch=4)
    assert await one.tick() == BETWEEN
    assert len(await sending.fetch("select id from occurrences")) == 4
    assert await other.tick() == PASS_EVERY
    assert len(await sending.fetch("select id from occurrences")) == len(lost)
    await sending.execute("delete from occurrences")
    assert 0 < await one.tick() <= PASS_EVERY
    assert await sending.fetch("select id from occurrences") == []
    async with sending.runtime.db.connection() as db:
        assert (await lags(db)).last_pass < 60


async def test_where_nothing_is_known_of_passes_the_first_begins(sending: Sending) -> None:
    await remind_times(sending, -5)
    await sending.execute("delete from occurrences")
    await sending.execute("delete from schedule_watch")
    for _ in range(2):
        await Sentinel(sending.runtime).tick()
    assert len(await sending.fetch("select id from occurrences")) == 1


async def test_two_side_by_side_mend_each_once(sending: Sending) -> None:
    reminders = [await remind_times(sending, -5) for _ in range(20)]
    await sending.execute("delete from occurrences")
    sentinels = [Sentinel(sending.runtime, batch=3) for _ in range(3)]
    for _ in range(8):
        await asyncio.gather(*(sentinel.tick() for sentinel in sentinels))
    for reminder in reminders:
        assert await sending.events(reminder) == ["schedule.repaired"]


async def test_one_that_cannot_be_mended_does_not_hide_the_others(sending: Sending) -> None:
    broken, other = await remind_times(sending, -5), await remind_times(sending, -5)
    await sending.execute("delete from occurrences")
    await sending.execute("update reminders set sequence = 9223372036854775807 where id = $1", broken)
    await a_pass(sending)
    rows = await sending.fetch("select reminder_id from occurrences")
    assert [row["reminder_id"] for row in rows] == [other]


async def test_a_batch_is_found_by_the_index_of_active_reminders_alone(sending: Sending) -> None:
    for _ in range(30):
        await sending.remind(timedelta(days=1).total_seconds())
    await sending.execute("update reminders set status = 'completed', ended_at = now()")
    for _ in range(5):
        await sending.remind(timedelta(days=1).total_seconds())
    async with sending.runtime.db.connection() as db:
        await db.execute("vacuum analyze reminders")
        await db.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        rows = await db.fetch("explain select id from reminders where status = 'active' order by id limit 1000")
        await db.execute("reset enable_seqscan; reset enable_bitmapscan")
    plan = " ".join(row[0] for row in rows)
    assert "Index Only Scan using reminders_active" in plan
