"""What becomes of answers that are odd, late, repeated or cannot be written."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unknown
from shared.runtime.ledger import Answer
from tests.integration.sending.conftest import Sending

UNWRITABLE = "a\x00b"
"""PostgreSQL keeps no NUL in a text."""


async def test_an_answer_that_cannot_be_written_takes_no_other_with_it(sending: Sending) -> None:
    """B-262: what a provider says decides its own send only, and is written without its words at the worst."""
    reminders = [await sending.remind(0) for _ in range(4)]
    begun = {one.reminder_id: one for one in await sending.begin()}
    said: list[Outcome] = [Accepted("m-1"), Rejected("no", code=UNWRITABLE), Accepted(UNWRITABLE), Accepted("m-4")]
    answers = [Answer(begun[reminder], outcome) for reminder, outcome in zip(reminders, said, strict=True)]
    async with asyncio.timeout(5):
        await asyncio.gather(*(sending.recorder.record(answer) for answer in answers))
    rows = [await sending.occurrence(reminder) for reminder in reminders]
    assert [row["state"] for row in rows] == ["sent", "skipped", "sent", "sent"]
    assert [row["provider_message_id"] for row in rows] == ["m-1", None, None, "m-4"]
    assert not sending.recording.done()
    for reminder in reminders:
        assert len(await sending.events(reminder)) in {2, 3}, "each is told of once"


@pytest.mark.parametrize("ended_as", ["expired", "skipped", "cancelled"])
async def test_an_acceptance_is_written_however_late_it_comes(sending: Sending, ended_as: str) -> None:
    """B-262, B-039: its lease ran out, the repeat was ended before it began, and then the first call's answer came."""
    reminder = await sending.remind(0, 3000)
    (begun,) = await sending.begin()
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await sending.execute(
        "update occurrences set state = $2, lease_until = null, ended_at = clock_timestamp() where id = $1",
        begun.id,
        ended_as,
    )
    for _ in range(2):
        await sending.recorder.record(Answer(begun, Accepted("m-1")))
    row = await sending.occurrence(reminder)
    assert (row["state"], row["provider_message_id"]) == ("sent", "m-1")
    assert (await sending.history(reminder))[-1:] == ["Sent"]
    assert (await sending.events(reminder)).count("message.sent") == 1
    assert (await sending.occurrence(reminder, 2))["state"] == "scheduled"


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Accepted("m-1"), "message.sent"),
        (Rejected("refused"), "message.failed"),
        (Unknown("no answer"), "message.uncertain"),
        (Failed("no answer", ambiguous=True), "message.uncertain"),
    ],
)
async def test_a_message_of_a_deleted_reminder_is_called_failed_only_where_that_is_known(
    sending: Sending, outcome: Outcome, event: str
) -> None:
    """B-045."""
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    await sending.execute(
        """with gone as (delete from reminders returning id, account_id, sequence)
           insert into deleted_reminders (id, account_id, sequence, deleted_at) select *, now() from gone"""
    )
    await sending.recorder.record(Answer(begun, outcome))
    assert await sending.events(reminder) == [event]
