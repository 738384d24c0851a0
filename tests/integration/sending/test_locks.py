"""Who locks what in which order: callers that change many reminders at once, and sends that begin meanwhile."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.api.core.bulk import act_on_many
from services.api.core.reminders import Held
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
