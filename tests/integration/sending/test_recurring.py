"""Recurring reminders over the real statements: the end of one send plans the next; and whom nobody may write to."""

from __future__ import annotations

from uuid import UUID, uuid4

from integration.sending.conftest import Sending

DAILY = {"kind": "every", "anchor": "2026-01-01", "unit": "day", "number": 1, "at": "09:00", "feb29": "feb28"}


async def remind_daily(sending: Sending, due_in: float) -> UUID:
    reminder = await sending.remind(due_in, recurs=True)
    await sending.execute("update reminders set schedule = $2 where id = $1", reminder, DAILY)
    return reminder


async def opt_out(sending: Sending, account: UUID) -> None:
    await sending.execute(
        """insert into suppressions (account_id, address, source, created_at)
           values ($1, '+6281234567890', 'api', now())""",
        account,
    )


async def test_b_178_a_recurring_reminder_has_one_send_before_it_at_any_time(sending: Sending) -> None:
    reminder = await remind_daily(sending, -1)
    await sending.ring()
    sent, following = await sending.fetch(
        "select seq, state, scheduled_for from occurrences where reminder_id = $1 order by seq", reminder
    )
    assert (sent["state"], following["state"], following["seq"]) == ("sent", "scheduled", 2)
    assert (following["scheduled_for"].hour, following["scheduled_for"].minute) == (9, 0)
    assert following["scheduled_for"] > sent["scheduled_for"]
    assert (await sending.reminder(reminder))["status"] == "active"


async def test_b_264_a_recurring_reminder_that_was_missed_for_days_goes_on_without_sending_each(
    sending: Sending,
) -> None:
    reminder = await remind_daily(sending, -10 * 86_400)
    await sending.ring()
    states = await sending.fetch("select state, count(*) as n from occurrences group by state order by state")
    assert [(row["state"], row["n"]) for row in states] == [("expired", 1), ("scheduled", 1)]
    assert (await sending.reminder(reminder))["status"] == "active"
    assert not sending.provider.calls


async def test_b_267_an_opt_out_before_the_claim_ends_the_send(sending: Sending) -> None:
    reminder = await sending.remind(-1)
    await opt_out(sending, sending.account)
    await sending.ring()
    occurrence = await sending.occurrence(reminder)
    assert (occurrence["state"], occurrence["reason"], occurrence["attempt"]) == ("skipped", "opted_out", 0)
    assert not sending.provider.calls


async def test_b_267_an_opt_out_between_claim_and_call_stops_the_call(sending: Sending) -> None:
    reminder = await sending.remind(-1)
    hints = await sending.queue()
    await opt_out(sending, sending.account)
    await sending.dispatcher.send(hints)
    assert not sending.provider.calls
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await sending.listen()
    await sending.ring()
    assert (await sending.occurrence(reminder))["reason"] == "opted_out"
    assert not sending.provider.calls


async def test_b_267_another_accounts_opt_out_stops_nothing(sending: Sending) -> None:
    reminder = await sending.remind(-1)
    await sending.execute("insert into accounts (id, name, created_at) values ($1, 'Other', now())", other := uuid4())
    await opt_out(sending, other)
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_b_268_marketing_waits_for_consent_and_transactional_does_not(sending: Sending) -> None:
    contact = uuid4()
    await sending.execute(
        """insert into contacts (id, account_id, phone, created_at, updated_at)
           values ($1, $2, '+6281234567890', now(), now())""",
        contact,
        sending.account,
    )
    refused = await sending.remind(-1, category="marketing", contact_id=contact)
    plain = await sending.remind(-1, contact_id=contact)
    await sending.ring()
    assert (await sending.occurrence(refused))["reason"] == "no_marketing_consent"
    assert (await sending.occurrence(plain))["state"] == "sent"
    await sending.execute("update contacts set marketing_consent = true")
    agreed = await sending.remind(-1, category="marketing", contact_id=contact)
    await sending.ring()
    assert (await sending.occurrence(agreed))["state"] == "sent"
