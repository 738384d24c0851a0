"""Between `sending` and the first byte: what a stop, a lost commit and a pause of the process leave unbegun."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.dispatcher import dispatcher
from services.dispatcher.dispatcher import Dispatcher
from shared.domain.outcome import Accepted
from shared.runtime.ledger import Answer
from shared.store.database import Connection, DatabaseAway
from tests.integration.sending.conftest import Sending


async def _one_slot(sending: Sending) -> Dispatcher:
    """A dispatcher whose only slot is in use, by a call that the test ends by setting `provider.latency`."""
    settings = sending.runtime.settings.model_copy(update={"send_concurrency": 1})
    sending.runtime.settings = settings
    return Dispatcher(sending.runtime, sending.providers, sending.recorder)


async def test_a_stop_begins_nothing_more_not_even_for_who_waited_for_a_slot(sending: Sending) -> None:
    """R-08, B-266: what was claimed and not begun is given back at once."""
    for _ in range(3):
        await sending.remind(0)
    dispatcher, hints = await _one_slot(sending), await sending.queue()
    sending.provider.latency = (0.2, 0.2)
    sends = asyncio.gather(*(dispatcher.send([hint]) for hint in hints))
    await sending.until_called()
    sending.runtime.stopping.set()
    async with asyncio.timeout(5):
        await sends
    states = await sending.fetch("select state, count(*) as n from occurrences group by state order by state")
    assert states == [{"state": "scheduled", "n": 2}, {"state": "sent", "n": 1}]
    assert len(sending.provider.calls) == 1


async def test_a_begin_whose_commit_was_not_heard_of_is_found_again(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-262, P-14: it is called once, and counts as one attempt; else its lease would park what was never called."""
    reminder = await sending.remind(0)
    hints, transaction, heard = await sending.queue(), sending.runtime.db.transaction, []

    @asynccontextmanager
    async def deaf_at_first() -> AsyncIterator[Connection]:
        async with transaction() as tx:
            yield tx
        heard.append(len(heard) > 0)
        if not heard[-1]:
            raise DatabaseAway("the commit went through, and its answer was lost")

    monkeypatch.setattr(sending.runtime.db, "transaction", deaf_at_first)
    await sending.dispatcher.send(hints)
    row = await sending.occurrence(reminder)
    assert (row["state"], row["attempt"], row["key_epoch"]) == ("sent", 1, 0)
    assert len(sending.provider.calls) == 1


async def test_b_265_nothing_is_begun_once_its_configuration_was_paused_though_it_was_claimed(sending: Sending) -> None:
    """A hint may wait in a queue for as long as its lease; the answer to the pause is out by then."""
    reminder = await sending.remind(0)
    hints = await sending.queue()
    await sending.execute("update configurations set state = 'paused'")
    await sending.dispatcher.send(hints)
    assert not sending.provider.calls
    await sending.execute("update configurations set state = 'running'")
    await sending.let_leases_run_out()
    await sending.listen()
    await sending.scheduler.tick()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_another_dispatcher_never_takes_over_what_is_being_sent(sending: Sending) -> None:
    """B-266: only the attempt's own id finds it again."""
    await sending.remind(0)
    hints = await sending.queue()
    assert [len((await sending.dispatcher.begin(hints))[0]) for _ in range(2)] == [1, 0]


async def test_a_process_that_was_frozen_past_its_lease_calls_nobody(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-039, B-262: meanwhile the send may have been rescued, cancelled with `prevented`, or begun elsewhere."""
    reminder = await sending.remind(0)
    hints, wakes = await sending.queue(), iter([0.0])
    monkeypatch.setattr(dispatcher, "monotonic", lambda: next(wakes, sending.runtime.settings.lease))
    await sending.dispatcher.send(hints)
    row = await sending.occurrence(reminder)
    assert sending.provider.calls == []
    assert (row["state"], row["failures"]) == ("scheduled", 0)
    assert await sending.history(reminder) == ["SendFailed"]


async def test_a_lease_that_is_renewed_just_then_is_not_called_lost(sending: Sending) -> None:
    """B-262: the rescue looks again under the rows' own locks."""
    await sending.remind(0)
    (begun,) = await sending.begin()
    await sending.let_leases_run_out()
    async with sending.runtime.db.transaction() as renewing:
        await renewing.execute("update occurrences set lease_until = clock_timestamp() + interval '30 s'")
        rescue = asyncio.create_task(sending.scheduler.rescue())
        await sending.until_waiting()
    await rescue
    await sending.recorder.record(Answer(begun, Accepted("m-1")))
    assert (await sending.occurrence(begun.reminder_id))["state"] == "sent"
    assert await sending.history(begun.reminder_id) == ["Sent"]
