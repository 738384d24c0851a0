"""What becomes of answers that are odd, late, repeated or cannot be written."""

from __future__ import annotations

import asyncio

from shared.domain.outcome import Accepted, Outcome, Rejected
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
