"""From an event to its deliveries: who gets one, once, and what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from services.api.core.endpoints import set_configuration_webhook
from shared.bus.bus import EVENTS, BusMessage, Undeliverable
from shared.domain.events import (
    ContactCreated,
    MessageAttemptFailed,
    MessageDelivered,
    MessageFailed,
    MessageSkipped,
    MessageUncertain,
    ReminderCompleted,
    ReminderCreated,
    ReminderDeleted,
)

if TYPE_CHECKING:
    from conftest import Webhooks


async def bodies(webhooks: Webhooks) -> list[Any]:
    while await webhooks.tick():
        pass
    return [received.json() for received in webhooks.receiver.ledger]


async def test_b_155_the_envelope_tells_what_happened(webhooks: Webhooks) -> None:
    """B-155, B-156, B-166, B-271: whichever door the reminder came in by."""
    await webhooks.endpoint()
    event = webhooks.sent()
    await webhooks.happen(event)
    (body,) = await bodies(webhooks)
    assert list(body) == ["id", "type", "created_at", "api_version", "data"]
    assert body["id"] == str((await webhooks.delivery())["id"])
    assert (body["type"], body["api_version"]) == ("message.sent", "2026-03-25")
    assert body["created_at"] == "2026-03-25T10:30:00Z"
    assert body["data"] == {
        "id": str(event.occurrence_id),
        "reminder_id": str(webhooks.reminder),
        "external_id": "order-7",
        "contact_id": None,
        "channel": "sms",
        "to": "+6281234567890",
        "status": "sent",
        "provider_message_id": "m-1",
        "reason": None,
        "attempt": 1,
        "scheduled_for": "2026-03-25T10:30:00Z",
        "sent_at": "2026-03-25T10:30:00Z",
    }


async def test_b_166_failures_and_receipts_say_what_they_know(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "message.failed", "message.delivered")
    facts = {
        "reminder_id": webhooks.reminder,
        "external_id": "order-7",
        "occurrence_id": uuid4(),
        "channel": "sms",
        "attempt": 5,
        "scheduled_for": webhooks.now,
    }
    await webhooks.execute(
        """insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at, state, ended_at)
           values ($1, $2, $3, 1, $4, $4, 'sent', $4)""",
        facts["occurrence_id"],
        webhooks.reminder,
        webhooks.account,
        webhooks.now,
    )
    await webhooks.happen(MessageFailed(**facts, reason="timeout"))
    await webhooks.happen(MessageDelivered(**facts, provider_message_id="m-9"))
    failed, delivered = [body["data"] for body in await bodies(webhooks)]
    assert (failed["status"], failed["reason"], failed["sent_at"]) == ("failed", "timeout", None)
    assert (delivered["status"], delivered["provider_message_id"]) == ("delivered", "m-9")
    assert delivered["sent_at"] == "2026-03-25T10:30:00Z"


async def test_reminder_events_carry_the_reminders_facts_while_there_are_any(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "reminder.created", "reminder.completed", "reminder.deleted")
    of = {"reminder_id": webhooks.reminder, "external_id": "order-7"}
    await webhooks.happen(ReminderCreated(**of, next_send_at=webhooks.now))
    gone = uuid4()
    await webhooks.happen(ReminderCompleted(reminder_id=gone, external_id="gone"))
    await webhooks.happen(ReminderDeleted(**of, deleted_at=webhooks.now))
    created, completed, deleted = [body["data"] for body in await bodies(webhooks)]
    assert created["id"] == str(webhooks.reminder)
    assert (created["status"], created["next_send_at"]) == ("active", "2026-03-25T10:30:00Z")
    assert completed == {"id": str(gone), "external_id": "gone"}
    assert deleted == {"id": str(webhooks.reminder), "external_id": "order-7", "deleted_at": "2026-03-25T10:30:00Z"}


async def test_an_event_that_comes_again_makes_no_second_delivery(webhooks: Webhooks) -> None:
    await webhooks.endpoint()
    await webhooks.endpoint()
    message = webhooks.message(webhooks.sent())
    for _ in range(3):
        await webhooks.fanout.handle(message)
    assert len(await webhooks.deliveries()) == 2
    assert webhooks.runtime.deliveries_written.is_set()


async def test_only_subscribers_of_the_account_get_one(webhooks: Webhooks) -> None:
    """B-147."""
    await webhooks.endpoint("ok", "contact.created", "message.failed")
    await webhooks.fanout.handle(webhooks.message(webhooks.sent()))
    await webhooks.fanout.handle(webhooks.message(ContactCreated(contact_id=uuid4()), account=uuid4()))
    assert await webhooks.deliveries() == []
    await webhooks.fanout.handle(webhooks.message(ContactCreated(contact_id=uuid4())))
    assert len(await webhooks.deliveries()) == 1


async def test_unknown_events_pass_and_unreadable_ones_are_dead_letters(webhooks: Webhooks) -> None:
    known = webhooks.message(webhooks.sent())
    newer = known.body.replace(b'"message.sent"', b'"message.sung"')
    await webhooks.fanout.handle(BusMessage(EVENTS, "message.sung.v1", known.id, newer))
    await webhooks.fanout.handle(
        BusMessage(EVENTS, "message.sent.v9", known.id, known.body.replace(b'"version":1', b'"version":9'))
    )
    for wrong in (b"{", b"[]", known.body.replace(b'"attempt":1', b'"attempt":"many"')):
        with pytest.raises(Undeliverable):
            await webhooks.fanout.handle(BusMessage(EVENTS, "message.sent.v1", known.id, wrong))


async def test_held_while_off_and_sent_when_on_again(webhooks: Webhooks) -> None:
    """B-164: the sweep brings in line what the switch itself left."""
    endpoint, _ = await webhooks.endpoint()
    await webhooks.happen()
    off = "update endpoints set status = 'disabled', disabled_at = now(), disabled_reason = 'owner' where id = $1"
    await webhooks.execute(off, endpoint)
    await webhooks.happen()
    assert await webhooks.tick() == 0
    await webhooks.upkeep.rescue(webhooks.now)
    assert [delivery["state"] for delivery in await webhooks.deliveries()] == ["held", "held"]
    on = "update endpoints set status = 'active', disabled_at = null, disabled_reason = null where id = $1"
    await webhooks.execute(on, endpoint)
    await webhooks.upkeep.rescue(webhooks.now)
    assert len(await bodies(webhooks)) == 2


async def test_c_4_a_configurations_url_gets_a_flat_body_for_each_attempt(webhooks: Webhooks) -> None:
    """C-3, C-4: signed, retried and replayed like any other (C-5)."""
    other = uuid4()
    await webhooks.execute(
        """insert into configurations (id, account_id, agent_id, configuration_id, name, created_at, updated_at)
           values ($1, $2, 'agent', 'other', 'other', now(), now())""",
        other,
        webhooks.account,
    )
    for configuration, path in ((webhooks.configuration, "mine"), (other, "others")):
        async with webhooks.runtime.db.transaction() as tx:
            await set_configuration_webhook(
                tx,
                account_id=webhooks.account,
                configuration_id=configuration,
                url=webhooks.receiver.url(path),
                keyring=webhooks.core.keyring,
                networks=webhooks.core.networks,
                now=webhooks.now,
            )
    facts = {
        "reminder_id": webhooks.reminder,
        "external_id": "order-7",
        "occurrence_id": uuid4(),
        "channel": "sms",
        "attempt": 1,
        "scheduled_for": webhooks.now,
    }
    await webhooks.happen(MessageAttemptFailed(**facts, provider="http", reason="timeout", retry_at=webhooks.now))
    await webhooks.happen(MessageAttemptFailed(**facts, provider="http", reason="timeout", retry_at=None))
    await webhooks.happen(MessageFailed(**facts, reason="timeout"))
    await webhooks.happen(MessageUncertain(**facts, provider="http", reason="timeout"))
    await webhooks.happen(MessageSkipped(**facts, reason="a later send time has come"))
    await webhooks.happen(webhooks.sent())
    assert await bodies(webhooks) == [
        {"id": "order-7", "date": "2026-03-25T10:30:00Z", "status": "active", "detail": detail}
        for detail in (
            "Send failed",
            "Send failed, no attempt is left",
            "Send unconfirmed, the message may have been sent",
            "Send time missed, nothing was sent: a later send time has come",
            "Reminder sent",
        )
    ]
    assert webhooks.receiver.at("/others") == []
    assert all("x-remindlo-signature" in received.headers for received in webhooks.receiver.ledger)


async def test_w_12_a_thousand_dead_endpoints_do_not_slow_a_healthy_one(webhooks: Webhooks) -> None:
    """A process has half of its slots for endpoints that have proved themselves."""
    healthy, _ = await webhooks.endpoint("ok")
    await webhooks.happen()
    await webhooks.tick()
    await webhooks.execute(
        """insert into endpoints (id, account_id, name, target_url, event_types, secret, created_at, updated_at)
           select gen_random_uuid(), account_id, name, $2, event_types, secret, created_at, updated_at
           from endpoints, generate_series(1, 1000) where id = $1""",
        healthy,
        webhooks.receiver.url("silent"),
    )
    await webhooks.happen(*(webhooks.sent() for _ in range(3)))
    runs = await webhooks.deliverer.claim(webhooks.now + timedelta(seconds=1)) or []
    proven = [run for run in runs if run.proven]
    assert [run.waiting[0].endpoint_id for run in proven] == [healthy]
    assert len(proven[0].waiting) == 3
    assert len(runs) - 1 == webhooks.runtime.settings.webhook_concurrency // 2
    assert all(len(run.waiting) == 1 for run in runs if not run.proven), "one POST at a time to a doubtful one"


async def test_no_endpoint_has_more_than_two_posts_under_way(webhooks: Webhooks) -> None:
    """A claim beside one open POST may add one lane, and beside two none, whichever process asks."""
    endpoint, _ = await webhooks.endpoint("ok")
    await webhooks.happen()
    await webhooks.tick()
    await webhooks.happen(*(webhooks.sent() for _ in range(30)))
    await webhooks.execute(
        """update deliveries set state = 'sending', lease_until = now() + interval '1 hour', attempt_id = id,
               attempt = 1
           where id = (select id from deliveries where state = 'pending' limit 1)"""
    )
    (beside,) = await webhooks.deliverer.claim(webhooks.now) or []
    assert (len(beside.waiting), beside.lanes) == (29, 1)
    assert await webhooks.deliverer.claim(webhooks.now) == []
    await webhooks.upkeep.rescue(webhooks.now + timedelta(days=400))
    webhooks.receiver.behave["/ok"] = "silent?for=0.02"
    while await webhooks.tick():
        pass
    assert webhooks.receiver.most_open == 2
    assert len(webhooks.receiver.ledger) == 31
    assert (await webhooks.health(endpoint))["status"] == "active"
