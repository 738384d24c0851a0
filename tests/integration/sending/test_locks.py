"""Who locks what in which order: callers that change many reminders at once, and sends that begin meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

from services.api.core.bulk import act_on_many
from services.api.core.reminders import Held
from shared.store import contacts, settlements
from shared.store.occurrences import database_now
from shared.store.reminder_search import Filter
from tests.integration.sending.conftest import Sending


async def test_a_bulk_change_and_a_begin_do_not_deadlock_each_other(sending: Sending) -> None:
    """B-063, B-266: their sends' ids need not be in the order of their reminders'."""
    reminders = sorted([await sending.remind(0) for _ in range(2)])
    for reminder, occurrence in zip(reminders, (UUID(int=2), UUID(int=1)), strict=True):
        await sending.execute("update occurrences set id = $2 where reminder_id = $1", reminder, occurrence)
    hints = await sending.queue()
    begins: list[asyncio.Task[object]] = []

    async def act(held: Held) -> dict[str, object]:
        if not begins:
            begins.append(asyncio.create_task(sending.dispatcher.begin(hints)))
            await sending.until_waiting()
        return {"id": str(held.reminder.id)}

    async with sending.runtime.db.transaction() as tx:
        results = await act_on_many(
            tx,
            act,
            account_id=sending.account,
            ids=[str(reminder) for reminder in reminders],
            wanted=Filter(),
            dry_run=False,
        )
    assert [result.refusal for result in results] == [None, None]
    begun, _ = await begins[0]  # type: ignore[misc]
    assert len(begun) == 2
    async with sending.runtime.db.connection() as db:
        assert await db.fetchval("select deadlocks from pg_stat_database where datname = current_database()") == 0


async def test_a_contact_that_moves_locks_its_reminders_as_those_who_settle_do(sending: Sending) -> None:
    """B-262: a storm of changes and sends had one wait for the other, in a circle, where ids and times disagreed."""
    contact = uuid4()
    await sending.execute(
        """insert into contacts (id, account_id, phone, created_at, updated_at)
           values ($1, $2, '+6281234567890', now(), now())""",
        contact,
        sending.account,
    )
    for id in (UUID(int=2), UUID(int=1)):  # the newer one has the smaller id, and is found last
        reminder = await sending.remind(contact_id=contact)
        await sending.execute("update reminders set id = $2, door = 'campaigns' where id = $1", reminder, id)

    await sending.execute("analyze reminders")  # otherwise it may look them up by their ids

    async def move() -> None:
        async with sending.runtime.db.transaction() as tx:
            held = await contacts.hold(tx, account_id=sending.account, id=contact)
            await contacts.retarget(tx, replace(held[0], phone="+6281234567899"), now=await database_now(tx))

    async with sending.runtime.db.transaction() as tx:
        await settlements.lock_reminders(tx, [UUID(int=1)])
        moving = asyncio.create_task(move())
        await sending.until_waiting()
        await settlements.lock_reminders(tx, [UUID(int=2)])
    await moving
    assert [row["address"] for row in await sending.fetch("select address from reminders")] == ["+6281234567899"] * 2
