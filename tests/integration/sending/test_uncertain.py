"""A provider that takes no key: an answer that is lost is never followed by a blind repeat."""

from __future__ import annotations

import pytest

from shared.domain.outcome import Failed, Unknown
from shared.runtime.ledger import Answer
from tests.integration.sending.conftest import Sending
from tests.rig.provider_behaviour import Behaviour


@pytest.fixture
def provider_name() -> str:
    return "twilio"


@pytest.fixture(autouse=True)
def _sms_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_PROVIDER_EMAIL", "sandbox")


async def test_a_lost_answer_parks_the_send_and_the_reminder_goes_on_b_263(sending: Sending) -> None:
    sending.provider.next.append(Behaviour.RESET_AFTER)
    reminder = await sending.remind(-5, 0)
    await sending.ring()
    assert (await sending.occurrence(reminder, 1))["state"] == "uncertain"
    assert await sending.history(reminder) == ["SendError"]
    assert await sending.events(reminder) == ["message.uncertain"]
    await sending.ring()
    assert (await sending.occurrence(reminder, 2))["state"] == "sent"
    assert len(sending.provider.messages) == 2


async def test_who_chose_retry_gets_a_repeat_b_263(sending: Sending) -> None:
    sending.provider.next.append(Behaviour.RESET_AFTER)
    reminder = await sending.remind(0, on_unknown="retry")
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "scheduled"
    await sending.make_due()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert len(sending.provider.messages) == 2


async def test_a_dead_worker_parks_its_send_and_a_late_answer_resolves_it(sending: Sending) -> None:
    sending.provider.latency = (0.2, 0.2)
    reminder = await sending.remind(0)
    await sending.scheduler.tick()
    await sending.until_called()
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    assert (await sending.occurrence(reminder))["state"] == "uncertain"
    assert (await sending.reminder(reminder))["status"] == "expired"
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert (await sending.reminder(reminder))["status"] == "completed"
    assert await sending.history(reminder) == ["SendError", "Sent"]
    attempts = await sending.fetch("select number, outcome from attempts")
    assert attempts == [{"number": 1, "outcome": "accepted"}]
    assert len(sending.provider.messages) == 1


async def test_a_refused_connection_is_definite_and_tried_again(sending: Sending) -> None:
    sending.provider.next.append(Behaviour.SLOW_DOWN)
    reminder = await sending.remind(0)
    await sending.ring()
    occurrence = await sending.occurrence(reminder)
    assert (occurrence["state"], occurrence["failures"]) == ("scheduled", 0)


async def test_a_late_proof_that_nothing_was_sent_opens_the_reminder_again_and_it_is_sent_b_263(
    sending: Sending,
) -> None:
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    assert (await sending.reminder(reminder))["status"] == "expired"
    await sending.recorder.record(Answer(begun, Failed("nothing was written")))
    row = await sending.reminder(reminder)
    assert (row["status"], row["ended_at"]) == ("active", None)
    await sending.make_due()
    await sending.listen()
    await sending.ring()
    assert (await sending.reminder(reminder))["status"] == "completed"
    assert await sending.events(reminder) == [
        "message.uncertain",
        "reminder.expired",
        "message.attempt_failed",
        "reminder.reactivated",
        "message.sent",
        "reminder.completed",
    ]


async def test_a_reminder_that_its_caller_touched_since_is_not_opened_again_b_263(sending: Sending) -> None:
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await sending.execute("update reminders set status = 'completed', updated_at = clock_timestamp()")
    await sending.recorder.record(Answer(begun, Failed("nothing was written")))
    assert (await sending.occurrence(reminder))["state"] == "skipped"
    assert (await sending.reminder(reminder))["status"] == "completed"


async def test_an_answer_that_says_no_more_than_the_rescue_did_is_not_told_again_b_262_b_263(sending: Sending) -> None:
    reminder = await sending.remind(0)
    (begun,) = await sending.begin()
    answer = Answer(begun, Unknown("no answer"))
    for _ in range(2):  # the second time as a repeat after a commit that was not heard of
        await sending.recorder.record(answer)
    assert (await sending.occurrence(reminder))["failures"] == 1
    assert await sending.history(reminder) == ["SendError"]
    assert await sending.events(reminder) == ["message.uncertain", "reminder.expired"]
