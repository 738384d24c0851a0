"""Reports of a provider about its messages: before our own answer, after it, twice, out of order, of nobody (V-09)."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unknown
from shared.domain.parked import Verdict
from shared.domain.receipt import Receipt, Report
from shared.domain.refusal import Conflict
from shared.runtime.ledger import Answer
from shared.runtime.resolving import AT_ONCE, resolve_by_hand, take_receipts
from shared.store.occurrences import Begun
from tests.integration.sending.conftest import Sending


@pytest.fixture
def provider_name() -> str:
    return "twilio"


@pytest.fixture(autouse=True)
def _sms_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_PROVIDER_EMAIL", "sandbox")


def a_receipt(begun: Begun, report: Report, **changes: object) -> Receipt:
    facts = {"provider": "twilio", "message_id": "SM1", "attempt_id": begun.attempt_id, "occurrence_id": begun.id}
    return Receipt(**{**facts, "report": report, **changes})  # type: ignore[arg-type]


async def take(sending: Sending, *receipts: Receipt) -> bool:
    fallback = sending.runtime.settings.policy()
    return await take_receipts(sending.runtime.db, receipts, how="callback", fallback=fallback)


async def resolve(sending: Sending, occurrence: UUID, verdict: Verdict) -> None:
    async with sending.runtime.db.transaction() as tx:
        await resolve_by_hand(
            tx, occurrence, verdict, account_id=sending.account, fallback=sending.runtime.settings.policy()
        )


async def begun_one(sending: Sending, **columns: object) -> tuple[UUID, Begun]:
    reminder = await sending.remind(0, **columns)
    (begun,) = await sending.begin()
    return reminder, begun


async def test_a_report_before_our_own_answer_is_not_lost_b_263(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    assert await take(sending, a_receipt(begun, Report.DELIVERED))
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    row = await sending.occurrence(reminder)
    assert (row["state"], row["receipt"], row["provider_message_id"]) == ("sent", "delivered", "SM1")
    assert await sending.history(reminder) == ["Sent", "Delivered"]
    assert await sending.events(reminder) == ["message.sent", "reminder.completed", "message.delivered"]


@pytest.mark.parametrize("late", [Unknown("no answer"), Failed("failed"), Rejected("refused")])
async def test_no_answer_takes_back_what_a_report_has_proved_b_263(sending: Sending, late: Outcome) -> None:
    reminder, begun = await begun_one(sending)
    await take(sending, a_receipt(begun, Report.SENT))
    await sending.recorder.record(Answer(begun, late))
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert await sending.history(reminder) == ["Sent"]


async def test_a_report_resolves_its_own_parked_send_b_263(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    assert (await sending.reminder(reminder))["status"] == "expired"
    assert await take(sending, a_receipt(begun, Report.SENT))
    row = await sending.occurrence(reminder)
    assert (row["state"], row["look_up_at"]) == ("sent", None)
    assert (await sending.reminder(reminder))["status"] == "completed"
    (attempt,) = await sending.fetch("select outcome, provider_message_id from attempts")
    assert attempt == {"outcome": "accepted", "provider_message_id": "SM1"}


async def test_a_report_saves_a_retry_that_would_have_been_the_second_message_b_262_b_263(sending: Sending) -> None:
    reminder, begun = await begun_one(sending, on_unknown="retry")
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    assert (await sending.occurrence(reminder))["state"] == "scheduled"
    await take(sending, a_receipt(begun, Report.ACCEPTED))
    await sending.make_due()
    await sending.listen()
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert sending.provider.messages == []


async def test_a_report_of_an_earlier_attempt_changes_nothing(sending: Sending) -> None:
    reminder, begun = await begun_one(sending, on_unknown="retry")
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    await sending.make_due()
    (again,) = await sending.begin()
    assert not await take(sending, a_receipt(begun, Report.DELIVERED))
    assert (await sending.occurrence(reminder))["state"] == "sending"
    assert again.attempt_id != begun.attempt_id


async def test_reports_out_of_order_and_repeated_are_told_once(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    for report in (Report.READ, Report.SENT, Report.DELIVERED, Report.READ, Report.FAILED, Report.ACCEPTED):
        await take(sending, a_receipt(begun, report))
    assert (await sending.occurrence(reminder))["receipt"] == "read"
    assert await sending.history(reminder) == ["Sent", "Delivered", "Read"]
    assert (await sending.events(reminder))[2:] == ["message.delivered", "message.read"]


async def test_many_reports_at_once_in_one_call_and_side_by_side_are_told_once(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    receipts = [a_receipt(begun, report) for report in Report] * 3
    await asyncio.gather(
        take(sending, *receipts), take(sending, *reversed(receipts)), *(take(sending, r) for r in receipts)
    )
    assert (await sending.occurrence(reminder))["receipt"] == "read"
    events = await sending.events(reminder)
    told = [event for event in events if event in {"message.sent", "message.delivered", "message.read"}]
    assert sorted(told) == ["message.delivered", "message.read", "message.sent"]


async def test_a_long_list_of_reports_is_written_whole(sending: Sending) -> None:
    for _ in range(AT_ONCE + 20):
        await sending.remind(0)
    begun = await sending.begin()
    for _ in range(2):
        await take(sending, *(a_receipt(one, report) for report in (Report.READ, Report.SENT) for one in begun))
    rows = await sending.fetch("select state, receipt, count(*) as n from occurrences group by 1, 2")
    assert rows == [{"state": "sent", "receipt": "read", "n": AT_ONCE + 20}]
    rows = await sending.fetch(
        "select type, count(*) as n from outbox where type like 'message.%' group by 1 order by 1"
    )
    assert [(row["type"], row["n"]) for row in rows] == [
        (kind, AT_ONCE + 20) for kind in ("message.delivered", "message.read", "message.sent")
    ]


async def test_a_failure_on_the_way_is_told_with_its_code(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    await take(sending, a_receipt(begun, Report.UNDELIVERED, code="30003"))
    assert (await sending.events(reminder))[-1] == "message.undelivered"
    rows = await sending.fetch("select detail from history order by id desc limit 1")
    assert "30003" in rows[0]["detail"]
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_a_report_that_a_person_opted_out_is_believed_b_267(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    for _ in range(2):
        await take(sending, a_receipt(begun, Report.FAILED, code="21610", opted_out=True))
    rows = await sending.fetch("select address, source from suppressions")
    assert rows == [{"address": "+6281234567890", "source": "provider:twilio"}]
    assert (await sending.events(reminder))[-2:] == ["message.undelivered", "message.opted_out"]


async def test_an_older_message_is_found_by_its_attempt_alone(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    assert await take(sending, a_receipt(begun, Report.DELIVERED, occurrence_id=None))
    assert (await sending.occurrence(reminder))["receipt"] == "delivered"


async def test_what_is_nobodys_is_forgotten(sending: Sending) -> None:
    _, begun = await begun_one(sending)
    nobodys = [
        a_receipt(begun, Report.DELIVERED, occurrence_id=uuid4()),
        a_receipt(begun, Report.DELIVERED, attempt_id=uuid4()),
        a_receipt(begun, Report.DELIVERED, attempt_id=None, occurrence_id=None),
    ]
    assert not await take(sending, *nobodys)
    await sending.execute("delete from reminders")
    assert not await take(sending, a_receipt(begun, Report.DELIVERED))


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_of_a_hand_an_answer_and_a_report_at_once_the_send_is_sent_and_told_so_once_b_263(
    sending: Sending, verdict: Verdict
) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    outcomes = await asyncio.gather(
        resolve(sending, begun.id, verdict),
        sending.recorder.record(Answer(begun, Accepted("SM1"))),
        take(sending, a_receipt(begun, Report.DELIVERED)),
        return_exceptions=True,
    )
    assert all(outcome is None or isinstance(outcome, (bool, Conflict)) for outcome in outcomes), outcomes
    row = await sending.occurrence(reminder)
    assert (row["state"], row["receipt"], row["failures"]) == ("sent", "delivered", 1)
    assert (await sending.events(reminder)).count("message.sent") == 1
    assert (await sending.reminder(reminder))["status"] == "completed"


async def test_of_two_hands_at_once_one_is_told_that_it_is_resolved(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    outcomes = await asyncio.gather(
        *(resolve(sending, begun.id, verdict) for verdict in Verdict), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Conflict", "NoneType"]
    assert (await sending.occurrence(reminder))["state"] in {"sent", "scheduled", "skipped"}
    assert await sending.events(reminder)


async def test_what_a_hand_called_unsent_is_sent_again_unless_its_answer_comes_first_b_263(sending: Sending) -> None:
    reminder, begun = await begun_one(sending)
    await sending.recorder.record(Answer(begun, Unknown("no answer")))
    await resolve(sending, begun.id, Verdict.NOT_SENT)
    assert (await sending.reminder(reminder))["status"] == "active"
    await sending.recorder.record(Answer(begun, Accepted("SM1")))
    assert (await sending.occurrence(reminder))["state"] == "sent"
    assert (await sending.reminder(reminder))["status"] == "completed"
