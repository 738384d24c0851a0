"""What becomes of answers that are odd, late, repeated or cannot be written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unknown
from shared.runtime.ledger import Answer
from shared.store import outbox
from shared.store.database import Connection
from shared.store.outbox import Recorded
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


@pytest.mark.parametrize(("listed", "state"), [(False, "cancelled"), (True, "scheduled")])
async def test_a_time_that_was_replaced_while_it_was_sent_is_not_tried_again(
    sending: Sending, *, listed: bool, state: str
) -> None:
    """B-035, B-073: the caller moved the reminder to tomorrow while its call failed; what stays listed is retried."""
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    times = [begun.scheduled_for] * listed + [begun.scheduled_for + timedelta(days=1)]
    schedule = {"kind": "times", "send_times": [time.isoformat() for time in times]}
    await sending.execute("update reminders set schedule = $1, updated_at = clock_timestamp()", schedule)
    await sending.execute(
        """insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at)
           select gen_random_uuid(), reminder_id, account_id, 2, $1, $1 from occurrences""",
        times[-1],
    )
    await sending.recorder.record(Answer(begun, Failed("no connection")))
    assert [(await sending.occurrence(reminder, seq))["state"] for seq in (1, 2)] == [state, "scheduled"]
    assert (await sending.reminder(reminder))["status"] == "active"


async def test_a_batch_that_breaks_off_in_the_middle_is_written_whole_at_the_next_try(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-262, P-14: no history without its step, no event without its history."""
    reminders = [await sending.remind(0) for _ in range(3)]
    append, tries = outbox.append, []

    async def break_off(tx: Connection, events: Sequence[Recorded]) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionResetError
        await append(tx, events)

    begun = await sending.begin()
    monkeypatch.setattr(outbox, "append", break_off)
    await asyncio.gather(*(sending.recorder.record(Answer(one, Accepted("m-1"))) for one in begun))
    for reminder in reminders:
        assert await sending.history(reminder) == ["Sent"]
        assert await sending.events(reminder) == ["message.sent", "reminder.completed"]
