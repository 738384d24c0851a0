"""From due to done, with a provider that honours keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.integration.sending.conftest import Sending
from tests.rig.provider_behaviour import Behaviour


async def test_a_due_reminder_is_sent_once_and_completes_b_053_b_055_b_084_c_9(sending: Sending) -> None:
    reminder = await sending.remind(0)
    await sending.ring()
    await sending.ring()
    assert len(sending.provider.calls) == 1
    assert await sending.history(reminder) == ["Sent"]
    assert await sending.events(reminder) == ["message.sent", "reminder.completed"]
    row = await sending.reminder(reminder)
    assert (row["status"], row["last_attempts"]) == ("completed", 0)
    assert row["last_send_at"] is not None


async def test_nothing_rings_early(sending: Sending) -> None:
    await sending.remind(0.3)
    pause = await sending.ring()
    assert sending.provider.calls == []
    assert 0 < pause <= 0.3


async def test_what_a_resting_provider_kept_goes_out_when_the_rest_ends(sending: Sending) -> None:
    await sending.execute(
        """insert into provider_pauses (account_id, channel, provider, reason, since, until)
           values ($1, 'sms', 'http', 'refused', clock_timestamp(), clock_timestamp() + interval '0.4 s')""",
        sending.account,
    )
    await sending.remind(-1)
    pause = await sending.ring()
    assert (sending.provider.calls, 0 < pause <= 0.4) == ([], True)
    await sending.make_due()
    await sending.ring()
    assert len(sending.provider.calls) == 1


async def test_the_provider_is_told_key_occurrence_and_planned_time(sending: Sending) -> None:
    reminder = await sending.remind(-5)
    await sending.ring()
    occurrence, call = await sending.occurrence(reminder), sending.provider.calls[0]
    assert call.key == f"{occurrence['id']}:0"
    assert call.occurrence_id == str(occurrence["id"])
    assert call.scheduled_at == occurrence["scheduled_for"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert call.message["id"] == str(reminder)


async def test_send_times_are_sent_in_order_one_after_the_other_b_053_b_054(sending: Sending) -> None:
    reminder = await sending.remind(-30, -20, -10)
    for sent in (1, 2, 3):
        await sending.ring()
        assert len(sending.provider.calls) == sent
        assert (await sending.occurrence(reminder, sent))["state"] == "sent"
    planned = [call.scheduled_at for call in sending.provider.calls]
    assert planned == sorted(planned)
    assert (await sending.reminder(reminder))["status"] == "completed"


async def test_five_failures_skip_a_send_time_and_the_next_one_goes_on_b_056_b_057(sending: Sending) -> None:
    sending.provider.default = Behaviour.FAIL_BEFORE
    reminder = await sending.remind(-5, 3000)
    for failures in (1, 2, 3, 4):
        await sending.ring()
        assert (await sending.reminder(reminder))["last_attempts"] == failures
        await sending.execute("update occurrences set due_at = clock_timestamp() where seq = 1")
    await sending.ring()
    first = await sending.occurrence(reminder)
    assert (first["state"], first["attempt"], first["failures"]) == ("skipped", 5, 5)
    assert (await sending.reminder(reminder))["last_attempts"] == 0
    assert await sending.history(reminder) == ["SendFailed"] * 5 + ["Skipped"]
    assert await sending.events(reminder) == ["message.attempt_failed"] * 5 + ["message.failed"]
    assert (await sending.reminder(reminder))["status"] == "active"


async def test_none_sent_ends_as_expired_b_059(sending: Sending) -> None:
    sending.provider.default = Behaviour.REJECT
    reminder = await sending.remind(0)
    await sending.ring()
    assert (await sending.reminder(reminder))["status"] == "expired"
    assert await sending.history(reminder) == ["SendFailed", "Skipped"]
    assert await sending.events(reminder) == ["message.attempt_failed", "message.failed", "reminder.expired"]


async def test_the_same_key_goes_out_again_after_a_lost_answer_and_the_message_is_one(sending: Sending) -> None:
    sending.provider.next.extend([Behaviour.RESET_AFTER, Behaviour.FAIL_AFTER])
    reminder = await sending.remind(0)
    for _ in range(3):
        await sending.ring()
        await sending.make_due()
    assert len({call.key for call in sending.provider.calls}) == 1
    assert (len(sending.provider.calls), len(sending.provider.messages)) == (3, 1)
    assert (await sending.reminder(reminder))["status"] == "completed"


async def test_a_429_after_a_lost_answer_does_not_change_the_key(sending: Sending) -> None:
    sending.provider.next.extend([Behaviour.FAIL_AFTER, Behaviour.SLOW_DOWN])
    reminder = await sending.remind(0)
    for _ in range(3):
        await sending.ring()
        await sending.make_due()
    assert (len(sending.provider.calls), len(sending.provider.messages)) == (3, 1)
    assert (await sending.reminder(reminder))["status"] == "completed"


async def test_a_429_is_waited_out_and_uses_up_no_failure(sending: Sending) -> None:
    sending.provider.default, sending.provider.retry_after = Behaviour.SLOW_DOWN, "600"
    reminder = await sending.remind(0)
    await sending.ring()
    occurrence = await sending.occurrence(reminder)
    assert (occurrence["state"], occurrence["failures"], occurrence["attempt"]) == ("scheduled", 0, 1)
    assert occurrence["due_at"] >= await sending.now() + timedelta(seconds=590)
    assert occurrence["scheduled_for"] < occurrence["due_at"]


async def test_refused_credentials_pause_the_account_and_keep_its_sends_until_they_are_mended(sending: Sending) -> None:
    sending.provider.default = Behaviour.UNAUTHORIZED
    first = await sending.remind(0)
    await sending.ring()
    second = await sending.remind(0)
    await sending.ring()
    assert len(sending.provider.calls) == 1, "the second is kept while the provider rests"
    assert (await sending.occurrence(first))["failures"] == 0
    assert await sending.events(sending.account) == ["provider.paused"]
    sending.provider.default = Behaviour.ACCEPT
    await sending.make_due()
    await sending.ring()
    assert {(await sending.reminder(r))["status"] for r in (first, second)} == {"completed"}
    assert await sending.fetch("select * from provider_pauses") == []


async def test_a_send_time_older_than_the_grace_expires_and_is_never_sent_b_061_b_264(sending: Sending) -> None:
    reminder = await sending.remind(-3601, -60)
    await sending.ring()
    await sending.ring()
    assert (await sending.occurrence(reminder, 1))["state"] == "expired"
    assert (await sending.occurrence(reminder, 2))["state"] == "sent"
    assert len(sending.provider.calls) == 1
    assert await sending.history(reminder) == ["Expired", "Sent"]
    assert await sending.events(reminder) == ["message.failed", "message.sent", "reminder.completed"]


@pytest.mark.parametrize(
    ("column", "table"), [("grace", "reminders"), ("grace", "configurations"), ("grace", "accounts")]
)
async def test_the_grace_is_the_reminders_then_the_configurations_then_the_accounts(
    sending: Sending, column: str, table: str
) -> None:
    await sending.execute(f"update accounts set {column} = '30 days'")
    await sending.execute(f"update configurations set {column} = '20 days'")
    reminder = await sending.remind(-10 * 86400, grace=timedelta(days=15))
    if table in {"configurations", "accounts"}:
        await sending.execute("update reminders set grace = null")
    if table == "accounts":
        await sending.execute("update configurations set grace = null")
    await sending.execute(f"update {table} set {column} = '1 day'")
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "expired"


async def test_catching_up_with_the_latest_skips_the_earlier_missed_ones_b_264(sending: Sending) -> None:
    reminder = await sending.remind(-30, -20, -10, catch_up="latest")
    for _ in range(3):
        await sending.ring()
    assert [(await sending.occurrence(reminder, n))["state"] for n in (1, 2, 3)] == ["skipped", "skipped", "sent"]
    assert len(sending.provider.calls) == 1


async def test_a_paused_configuration_keeps_what_is_due_until_it_resumes_b_265(sending: Sending) -> None:
    reminder = await sending.remind(0)
    await sending.execute("update configurations set state = 'paused'")
    pause = await sending.ring()
    assert (sending.provider.calls, (await sending.occurrence(reminder))["state"]) == ([], "scheduled")
    assert pause > 1, "waiting for a paused configuration must not spin"
    await sending.execute("update configurations set state = 'running'")
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_a_lost_doorbell_is_rung_again_b_266(sending: Sending) -> None:
    reminder = await sending.remind(0)
    await sending.runtime.bus.stop_consuming(drain=0)
    await sending.scheduler.tick()
    assert (await sending.occurrence(reminder))["state"] == "queued"
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await sending.listen()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert len(sending.provider.calls) == 1, "the first hint names an older version and drops out"


async def test_a_hint_that_comes_three_times_calls_the_provider_once_b_262_b_266(sending: Sending) -> None:
    reminder = await sending.remind(0)
    await sending.runtime.bus.stop_consuming(drain=0)
    await sending.scheduler.tick()
    occurrence = await sending.occurrence(reminder)
    hint = (occurrence["id"], occurrence["version"])
    await asyncio.gather(*(sending.dispatcher.send([hint]) for _ in range(3)))
    assert len(sending.provider.calls) == 1


async def test_schedulers_need_no_cron_and_no_lock_and_share_the_work_c_6_c_7(sending: Sending) -> None:
    for _ in range(40):
        await sending.remind(0)
    await asyncio.gather(*(sending.scheduler.tick() for _ in range(4)))
    await sending.ring()
    assert len(sending.provider.calls) == len(sending.provider.messages) == 40


async def test_a_batch_of_three_hundred_is_settled_whole(sending: Sending) -> None:
    for _ in range(300):
        await sending.remind(0)
    await sending.ring()
    assert len(sending.provider.messages) == 300
    left = await sending.fetch("select count(*) as n from occurrences where state <> 'sent'")
    assert left == [{"n": 0}]


async def test_a_reminder_deleted_while_sending_still_tells_how_its_message_ended(sending: Sending) -> None:
    reminder = await sending.remind(0)
    sending.provider.latency = (0.3, 0.3)
    ringing = asyncio.create_task(sending.ring())
    await sending.until_called()
    await sending.execute(
        """insert into deleted_reminders (id, account_id, sequence, deleted_at)
           select id, account_id, sequence, now() from reminders where id = $1""",
        reminder,
    )
    await sending.execute("delete from reminders where id = $1", reminder)
    await ringing
    assert await sending.events(reminder) == ["message.sent"]


async def test_an_attempt_of_a_reminder_cancelled_meanwhile_is_not_retried_when_it_fails(sending: Sending) -> None:
    reminder = await sending.remind(0)
    sending.provider.latency, sending.provider.default = (0.3, 0.3), Behaviour.FAIL_BEFORE
    ringing = asyncio.create_task(sending.ring())
    await sending.until_called()
    await sending.execute("update reminders set status = 'cancelled', ended_at = now() where id = $1", reminder)
    await ringing
    assert (await sending.occurrence(reminder))["state"] == "cancelled"
    assert (await sending.reminder(reminder))["status"] == "cancelled"


async def test_a_template_is_filled_with_its_parameters_b_051(sending: Sending) -> None:
    await sending.execute(
        """insert into templates
               (id, account_id, configuration_id, name, channel, language, body, created_at, updated_at)
           values (gen_random_uuid(), $1, $2, 'payment', 'sms', 'id', 'Dear {{2}}: {{1}} is due, {{2}}.', now(),
               now())""",
        sending.account,
        sending.configuration,
    )
    await sending.remind(0, template_name="payment", text=None, parameters=["Rp 1.500.000", "{{1}}"])
    await sending.ring()
    message = sending.provider.calls[0].message
    assert message["text"] == "Dear {{1}}: Rp 1.500.000 is due, {{1}}."
    assert (message["template"], message["language"]) == ("payment", "id")
