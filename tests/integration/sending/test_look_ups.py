"""A provider is asked for a message whose answer was lost, and what is found settles its send (B-263)."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.dispatcher.look_up import AT_ONCE, LASTING, LookingUp
from tests.integration.sending.conftest import Sending
from tests.rig.provider_behaviour import Behaviour


@pytest.fixture
def provider_name() -> str:
    return "twilio"


@pytest.fixture(autouse=True)
def _sms_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_PROVIDER_EMAIL", "sandbox")


async def make_askable(sending: Sending) -> None:
    await sending.execute("update occurrences set look_up_at = clock_timestamp() where look_up_at is not null")


async def look_up(sending: Sending) -> None:
    await make_askable(sending)
    await LookingUp(sending.runtime, sending.providers).tick()


async def lost(sending: Sending, behaviour: Behaviour = Behaviour.RESET_AFTER, **columns: object) -> UUID:
    sending.provider.next.append(behaviour)
    reminder = await sending.remind(0, **columns)
    await sending.ring()
    return reminder


async def test_a_parked_send_that_the_provider_has_is_sent_b_263(sending: Sending) -> None:
    reminder = await lost(sending)
    row = await sending.occurrence(reminder)
    assert (row["state"], row["look_up_at"] > await sending.now()) == ("uncertain", True)
    await look_up(sending)
    row = await sending.occurrence(reminder)
    assert (row["state"], row["receipt"], row["look_up_at"]) == ("sent", "delivered", None)
    assert row["provider_message_id"] == sending.provider.messages[0].message_id
    assert await sending.events(reminder) == [
        "message.uncertain",
        "reminder.expired",
        "message.sent",
        "reminder.completed",
        "message.delivered",
    ]
    assert len(sending.provider.messages) == 1


async def test_a_send_of_a_dead_worker_is_looked_up_b_263(sending: Sending) -> None:
    reminder = await sending.remind(0)
    await sending.begin()
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "uncertain"  # no call was made: nothing is there
    assert sending.provider.questions


async def test_what_is_found_before_its_retry_is_not_repeated_b_262_b_263(sending: Sending) -> None:
    reminder = await lost(sending, on_unknown="retry")
    assert (await sending.occurrence(reminder))["state"] == "scheduled"
    await look_up(sending)
    await sending.make_due()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert len(sending.provider.messages) == 1


async def test_what_is_not_found_stays_parked_and_is_asked_for_again_for_fifteen_minutes_b_263(
    sending: Sending,
) -> None:
    reminder = await lost(sending, Behaviour.RESET_BEFORE)
    await look_up(sending)
    row = await sending.occurrence(reminder)
    assert row["state"] == "uncertain"
    assert row["look_up_at"] > await sending.now()
    await sending.execute("update occurrences set attempt_started_at = clock_timestamp() - $1::interval", LASTING)
    await look_up(sending)
    row = await sending.occurrence(reminder)
    assert (row["state"], row["look_up_at"]) == ("uncertain", None)
    await look_up(sending)
    assert len(sending.provider.questions) == 2


async def test_what_the_list_shows_late_is_found_late(sending: Sending) -> None:
    reminder = await lost(sending)
    sending.provider.hidden = {sending.provider.messages[0].message_id or ""}
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "uncertain"
    sending.provider.hidden = set()
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_a_message_that_is_known_as_another_send_is_not_taken_for_this_one_b_263(sending: Sending) -> None:
    known = await sending.remind(0)
    await sending.ring()
    assert (await sending.occurrence(known))["state"] == "sent"
    reminder = await lost(sending, Behaviour.RESET_BEFORE)
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "uncertain"


async def test_of_two_alike_of_which_one_was_taken_neither_is_called_sent_b_263(sending: Sending) -> None:
    first, second = await lost(sending), await lost(sending, Behaviour.RESET_BEFORE)
    await look_up(sending)
    assert {(await sending.occurrence(one))["state"] for one in (first, second)} == {"uncertain"}


async def test_what_a_person_called_sent_without_naming_the_message_is_not_given_to_another_b_263(
    sending: Sending,
) -> None:
    named, other = await lost(sending), await lost(sending, Behaviour.RESET_BEFORE)
    await sending.execute("update occurrences set state = 'sent', look_up_at = null where reminder_id = $1", named)
    await look_up(sending)
    assert (await sending.occurrence(other))["state"] == "uncertain"


async def test_of_two_alike_that_were_both_taken_both_are_sent(sending: Sending) -> None:
    both = await lost(sending), await lost(sending)
    await look_up(sending)
    await look_up(sending)
    assert {(await sending.occurrence(one))["state"] for one in both} == {"sent"}


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_provider_that_does_not_answer_the_question_changes_nothing(sending: Sending, status: int) -> None:
    reminder = await lost(sending)
    sending.provider.listing = status
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "uncertain"
    sending.provider.listing = 200
    await look_up(sending)
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_questions_are_few_at_once_whatever_was_lost(sending: Sending) -> None:
    for _ in range(AT_ONCE + 2):
        await lost(sending)
    await look_up(sending)
    assert len(sending.provider.questions) == AT_ONCE


async def test_what_was_resolved_meanwhile_is_not_asked_for(sending: Sending) -> None:
    await lost(sending)
    await sending.execute("update occurrences set state = 'skipped' where state = 'uncertain'")
    await look_up(sending)
    assert sending.provider.questions == []
    assert await sending.fetch("select id from occurrences where look_up_at is not null") == []
