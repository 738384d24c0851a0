"""From an enrolment or a one-time message to what the sandbox is given, over the API, a scheduler and a dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from integration.api.campaign_tools import PHONE, a_campaign, a_one_off, campaign, change, contact, due, enroll
from integration.api.conftest import MASTER_KEY, Door
from integration.sending.conftest import Sending

from services.api.app import build_app
from services.api.core.accounts import create_account
from services.api.core.policy import Core
from services.api.rearming import Rearming
from shared.store import occurrences


@pytest.fixture
def provider_name(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", MASTER_KEY)
    return "sandbox"


@pytest.fixture
async def door(sending: Sending) -> AsyncIterator[Door]:
    async with sending.runtime.db.transaction() as tx:
        account = await create_account(tx, name="Clinic")
    async with TestClient(TestServer(build_app(sending.runtime), access_log=None)) as client:
        yield Door(client, sending.runtime, account)


async def given(door: Door) -> list[tuple[str, str]]:
    """To whom the sandbox was to send what, oldest first."""
    status, answer = await door.call("GET", "/sandbox/messages")
    assert status == 200
    return [(message["to"], message["text"]) for message in reversed(answer["messages"])]


async def enrolled(door: Door) -> str:
    """A running campaign with one contact, to whom its message is due."""
    id, john = await campaign(door, a_one_off()), await contact(door)
    await enroll(door, id, john.id)
    return id


async def test_b_135_a_one_off_enrolment_reaches_the_sandbox_once(door: Door, sending: Sending) -> None:
    """B-136: whatever happens to the campaign, the contact and the enrolment afterwards."""
    id, john = await campaign(door, a_one_off()), await contact(door)
    await enroll(door, id, john.id)
    await sending.ring()
    assert await given(door) == [(PHONE, "Hi John")]
    await enroll(door, id, john.id)
    await change(door, john.id, first_name="Johnny")
    await door.call("PATCH", f"/v1/campaigns/{id}", {"body": "Anew", "send_at": "2099-01-01T00:00Z"})
    await Rearming(door.runtime, Core.from_settings(door.runtime.settings)).tick()
    await sending.ring()
    assert len(await given(door)) == 1
    assert not await door.fetch("select from occurrences where state in ('scheduled', 'queued')")


async def test_b_135_a_recurring_enrolment_reaches_the_sandbox_when_it_is_due(door: Door, sending: Sending) -> None:
    id = await campaign(door, a_campaign(body="{first_name}: {next_due_at}"))
    john = await contact(door, next_due=due("2099-07-15"))
    await enroll(door, id, john.id)
    await sending.ring()
    assert await given(door) == []
    await sending.make_due()
    await sending.ring()
    await sending.ring()
    assert await given(door) == [(PHONE, "John: 2099-07-15")] * 2
    types = await door.events()
    assert types.count("message.sent") == 2
    assert types[-1] == "reminder.completed"


async def test_b_138_a_message_reaches_the_sandbox_and_says_so(door: Door, sending: Sending) -> None:
    john = await contact(door)
    _, queued = await door.call("POST", "/v1/messages", {"contact_id": str(john.id), "body": "See you at 2pm."})
    await sending.ring()
    assert await given(door) == [(PHONE, "See you at 2pm.")]
    _, answer = await door.call("GET", f"/v1/messages/{queued['message_id']}")
    message = answer["message"]
    assert (message["status"], message["attempts"], bool(message["sent_at"])) == ("sent", 1, True)
    (event,) = await door.fetch("select data from outbox where type = 'message.sent'")
    assert event["data"]["occurrence_id"] == queued["message_id"]


async def test_b_143_what_is_sent_stays_counted_and_what_is_refused_is_returned(door: Door, sending: Sending) -> None:
    john = await contact(door)
    for body in ("a" * 161, "b"):
        await door.call("POST", "/v1/messages", {"contact_id": str(john.id), "body": body})
    await door.execute("update reminders set address = '+15005550001' where text = 'b'")
    await door.execute(
        "insert into suppressions (account_id, address, source, created_at) values ($1, '+15005550001', 'api', now())",
        door.account.account_id,
    )
    await sending.ring()
    assert [row["segments"] for row in await door.fetch("select segments from quota_use")] == [2]


async def test_b_146_marketing_needs_consent_and_what_is_transactional_does_not(door: Door, sending: Sending) -> None:
    """And what is not sent for want of it is told of as failed."""
    john = await contact(door, marketing_consent=False)
    await enroll(door, await campaign(door, a_one_off(body="Sale")), john.id)
    await enroll(door, await campaign(door, a_one_off(body="Your car is ready", category="transactional")), john.id)
    await sending.ring()
    assert await given(door) == [(PHONE, "Your car is ready")]
    (event,) = await door.fetch("select data from outbox where type = 'message.failed'")
    assert event["data"]["reason"] == "no_marketing_consent"


async def test_b_146_an_opt_out_stops_campaigns_and_messages_alike(door: Door, sending: Sending) -> None:
    """B-267."""
    john = await contact(door)
    await door.execute(
        "insert into suppressions (account_id, address, source, created_at) values ($1, $2, 'api', now())",
        door.account.account_id,
        PHONE,
    )
    await enroll(door, await campaign(door, a_one_off(category="transactional")), john.id)
    await door.call("POST", "/v1/messages", {"contact_id": str(john.id), "body": "Hi"})
    await sending.ring()
    assert await given(door) == []
    failed = await door.fetch("select data from outbox where type = 'message.failed'")
    assert [event["data"]["reason"] for event in failed] == ["opted_out"] * 2


async def test_b_265_a_paused_campaign_sends_nothing_and_on_resume_the_misfire_rule_decides(
    door: Door, sending: Sending
) -> None:
    """B-264: inside the grace it goes out late."""
    id = await enrolled(door)
    await door.call("POST", f"/v1/campaigns/{id}/pause")
    await sending.ring()
    assert await given(door) == []
    await door.call("POST", f"/v1/campaigns/{id}/resume")
    await sending.ring()
    assert await given(door) == [(PHONE, "Hi John")]


@pytest.mark.parametrize(("name", "reason"), [(None, "no text"), ("x" * 255, "more than 1600 characters")])
async def test_b_139_a_text_that_is_empty_or_endless_once_it_is_filled_in_is_not_sent(
    door: Door, sending: Sending, name: str | None, reason: str
) -> None:
    """And its campaign goes on for everybody else."""
    anybody = await contact(door, first_name=name)
    await enroll(door, await campaign(door, a_one_off(body="{first_name}" * 7)), anybody.id)
    await sending.ring()
    assert await given(door) == []
    (event,) = await door.fetch("select data from outbox where type = 'message.failed'")
    assert reason in event["data"]["reason"]


@pytest.mark.parametrize("change", [{"status": "paused"}, {"body": "Anew, {first_name}"}])
async def test_b_265_what_was_claimed_before_a_pause_or_a_change_is_not_begun_after_it(
    door: Door, sending: Sending, change: dict[str, str]
) -> None:
    """B-098: a hint may wait in a queue for as long as its lease, and the answer to the PATCH is out by then."""
    id = await enrolled(door)
    hints = await sending.queue()
    assert len(hints) == 1
    await door.call("PATCH", f"/v1/campaigns/{id}", change)
    await sending.dispatcher.send(hints)
    assert await given(door) == []
    await Rearming(door.runtime, Core.from_settings(door.runtime.settings)).tick()
    await door.call("POST", f"/v1/campaigns/{id}/resume")
    await sending.let_leases_run_out()
    await sending.listen()
    await sending.scheduler.tick()
    await sending.ring()
    assert await given(door) == [(PHONE, "Hi John" if "status" in change else "Anew, John")]


async def test_b_264_what_a_paused_campaign_kept_for_too_long_expires(door: Door, sending: Sending) -> None:
    id = await enrolled(door)
    await door.call("POST", f"/v1/campaigns/{id}/pause")
    await door.execute("update occurrences set scheduled_for = scheduled_for - interval '2 hours'")
    await door.call("POST", f"/v1/campaigns/{id}/resume")
    await sending.ring()
    assert await given(door) == []
    assert [row["state"] for row in await door.fetch("select state from occurrences")] == ["expired"]


async def test_nothing_of_a_stale_enrolment_is_sent_before_it_is_armed(door: Door, sending: Sending) -> None:
    """B-098: the old text never goes out after the campaign was changed."""
    id = await enrolled(door)
    await door.call("PATCH", f"/v1/campaigns/{id}", {"body": "Anew, {first_name}"})
    await sending.ring()
    assert await given(door) == []
    await Rearming(door.runtime, Core.from_settings(door.runtime.settings)).tick()
    await sending.ring()
    assert await given(door) == [(PHONE, "Anew, John")]


async def test_nothing_of_an_enrolment_that_is_marked_is_sent_before_it_is_armed(door: Door, sending: Sending) -> None:
    """B-270: the mark of newer rules holds for one enrolment, whatever its campaign's plan."""
    await enrolled(door)
    hints = await sending.queue()
    await door.execute("update enrollments set stale = true")
    await sending.dispatcher.send(hints)
    await sending.let_leases_run_out()
    await sending.scheduler.rescue()
    await sending.listen()
    await sending.ring()
    assert await given(door) == []
    await Rearming(door.runtime, Core.from_settings(door.runtime.settings)).tick()
    await sending.ring()
    assert await given(door) == [(PHONE, "Hi John")]


async def test_enrolments_messages_and_resumes_wake_the_scheduler(door: Door) -> None:
    """B-135, B-140: it is sent within the second, not at the scheduler's next look."""
    rung = asyncio.Event()
    connection = await door.runtime.db.dedicated()
    try:
        await occurrences.listen_for_due(connection, rung.set)
        john, id = await contact(door), await campaign(door, a_one_off())
        for path, body in [
            ("/v1/campaigns-enroll", {"campaign_id": id, "contact_id": str(john.id)}),
            ("/v1/messages", {"contact_id": str(john.id), "body": "Hi"}),
        ]:
            rung.clear()
            await door.call("POST", path, body)
            async with asyncio.timeout(5):
                await rung.wait()
        await door.call("POST", f"/v1/campaigns/{id}/pause")
        rung.clear()
        await door.call("POST", f"/v1/campaigns/{id}/resume")
        async with asyncio.timeout(5):
            await rung.wait()
    finally:
        await connection.close()
