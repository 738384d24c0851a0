"""A provider that says a person opted out is believed for every door."""

from __future__ import annotations

import asyncio

from integration.sending.conftest import Sending

from shared.domain.outcome import Rejected
from shared.runtime.ledger import Answer


async def test_b_267_who_opted_out_at_the_provider_is_written_to_no_more(sending: Sending) -> None:
    reminder = await sending.remind(0, 3000)
    (begun,) = await sending.begin()
    async with asyncio.timeout(5):
        for _ in range(2):
            await sending.recorder.record(Answer(begun, Rejected("opted out", "21610", opted_out=True)))
    assert (await sending.events(reminder))[:3] == ["message.attempt_failed", "message.opted_out", "message.failed"]
    (row,) = await sending.fetch("select address, source, account_id from suppressions")
    assert row == {"address": "+6281234567890", "source": "provider:http", "account_id": sending.account}
    later = await sending.remind(-1)
    await sending.listen()
    await sending.ring()
    assert (await sending.occurrence(later))["reason"] == "opted_out"
    assert not sending.provider.calls


async def test_b_267_a_deleted_reminders_opt_out_counts_too(sending: Sending) -> None:
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    await sending.execute("delete from reminders where id = $1", reminder)
    async with asyncio.timeout(5):
        await sending.recorder.record(Answer(begun, Rejected("opted out", opted_out=True)))
    assert await sending.fetch("select address from suppressions") == [{"address": "+6281234567890"}]
