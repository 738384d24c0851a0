"""One-time messages at `/v1/messages`."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from integration.api.campaign_tools import contact
from integration.api.conftest import Door

from shared.runtime.ledger import settle_unsendable


async def send(door: Door, to: UUID | str, **changes: Any) -> tuple[int, Any]:
    body = {"contact_id": str(to), "body": "Hi John, see you tomorrow at 2pm.", **changes}
    return await door.call("POST", "/v1/messages", body)


async def used(door: Door) -> int:
    rows = await door.fetch("select segments from quota_use")
    return sum(row["segments"] for row in rows)


async def test_b_140_a_message_is_queued_at_once(door: Door) -> None:
    """B-138: by SMS, where no channel is named; nobody's consent to marketing is asked (B-146)."""
    john = await contact(door, marketing_consent=False)
    status, answer = await send(door, john.id)
    assert (status, answer) == (
        202,
        {
            "success": True,
            "message_id": answer["message_id"],
            "status": "queued",
            "contact_id": str(john.id),
            "parts": 1,
            "channel": "sms",
        },
    )
    (row,) = await door.fetch(
        """select o.id, o.due_at <= clock_timestamp() as due, o.state, r.category, r.text, r.address, r.door
           from occurrences o join reminders r on r.id = o.reminder_id"""
    )
    assert str(row.pop("id")) == answer["message_id"]
    assert row == {
        "due": True,
        "state": "scheduled",
        "category": "transactional",
        "text": "Hi John, see you tomorrow at 2pm.",
        "address": john.phone,
        "door": "campaigns",
    }


async def test_a_message_can_be_looked_up_by_its_id(door: Door) -> None:
    john = await contact(door)
    _, queued = await send(door, john.id)
    path = f"/v1/messages/{queued['message_id']}"
    status, answer = await door.call("GET", path)
    created_at = answer["message"].pop("created_at")
    assert (status, answer["success"], bool(created_at)) == (200, True, True)
    assert answer["message"] == {
        "id": queued["message_id"],
        "status": "queued",
        "channel": "sms",
        "contact_id": str(john.id),
        "parts": 1,
        "body": "Hi John, see you tomorrow at 2pm.",
        "attempts": 0,
        "sent_at": None,
        "reason": None,
        "receipt": None,
        "receipt_at": None,
    }
    for state, wanted in [("uncertain", "uncertain"), ("sent", "sent"), ("skipped", "failed")]:
        await door.execute("update occurrences set state = $1, ended_at = now(), reason = 'because'", state)
        _, answer = await door.call("GET", path)
        assert (answer["message"]["status"], answer["message"]["reason"]) == (wanted, "because")
        assert bool(answer["message"]["sent_at"]) == (wanted == "sent")
    other = await door.another_account()
    for unknown, key in [(path, other.api_key), (f"/v1/messages/{uuid4()}", None), ("/v1/messages/1", None)]:
        status, answer = await door.call("GET", unknown, key=key)
        assert (status, answer["error"]["code"]) == (404, "MESSAGE_NOT_FOUND")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"body": "a" * 1_601}, "body"),
        ({"body": ""}, "body"),
        ({"body": " \n\t"}, "body"),
        ({"body": None}, "body"),
        ({"channel": "fax"}, "channel"),
        ({"contact_id": None}, "contact_id"),
    ],
)
async def test_b_139_a_body_that_cannot_be_sent_is_refused(visitor: Door, changes: dict[str, Any], field: str) -> None:
    """B-145 for the channel."""
    john = await contact(visitor)
    status, answer = await send(visitor, john.id, **changes)
    assert (status, answer["error"]["code"], answer["error"]["details"]["field"]) == (400, "VALIDATION_ERROR", field)


async def test_b_139_the_length_is_counted_in_code_points(visitor: Door) -> None:
    """B-141: and the parts in places of the alphabet."""
    john = await contact(visitor)
    status, answer = await send(visitor, john.id, body="😀" * 1_600)
    assert (status, answer["parts"]) == (202, 49)
    _, answer = await send(visitor, john.id, body="a" * 161)
    assert answer["parts"] == 2


async def test_b_142_without_a_paid_plan_nothing_is_sent(door: Door) -> None:
    john = await contact(door)
    await door.execute("update accounts set plan = 'free'")
    status, answer = await send(door, john.id)
    assert (status, answer["error"]["code"]) == (403, "PLAN_REQUIRED")
    assert not await door.fetch("select from reminders")


async def test_b_144_who_is_not_there_or_cannot_be_reached_is_not_found(visitor: Door) -> None:
    jane = await contact(visitor, phone=None, email="jane@example.com")
    john = await contact(visitor)
    for id, channel, reason in [
        (str(uuid4()), "sms", None),
        ("42", "sms", None),
        (str(jane.id), "sms", "MISSING_PHONE_NUMBER"),
        (str(jane.id), "whatsapp", "MISSING_PHONE_NUMBER"),
        (str(john.id), "email", "MISSING_EMAIL"),
    ]:
        status, answer = await send(visitor, id, channel=channel)
        assert (status, answer["error"]["code"]) == (404, "CONTACT_NOT_FOUND")
        assert answer["error"]["details"].get("reason") == reason
    other = await visitor.another_account()
    status, _ = await visitor.call(
        "POST", "/v1/messages", {"contact_id": str(john.id), "body": "Hi"}, key=other.api_key
    )
    assert status == 404


async def test_b_145_an_e_mail_has_one_part_and_counts_against_no_quota(door: Door) -> None:
    await door.execute("update accounts set quota = 0")
    jane = await contact(door, phone=None, email="jane@example.com")
    status, answer = await send(door, jane.id, channel="email", body="a" * 1_600, subject="Tomorrow")
    assert (status, answer["parts"], answer["channel"]) == (202, 1, "email")
    (row,) = await door.fetch("select address, subject from reminders")
    assert row == {"address": "jane@example.com", "subject": "Tomorrow"}
    assert await used(door) == 0


async def test_b_143_the_quota_is_counted_in_segments(door: Door) -> None:
    await door.execute("update accounts set quota = 3")
    john = await contact(door)
    assert (await send(door, john.id, body="a" * 200))[0] == 202
    response = await door.client.post(
        "/v1/messages", json={"contact_id": str(john.id), "body": "a" * 200}, headers=door.key
    )
    answer = await response.json()
    assert (response.status, answer["error"]["code"]) == (429, "SMS_LIMIT_EXCEEDED")
    assert 0 < int(response.headers["Retry-After"]) <= 31 * 86_400
    assert (await send(door, john.id))[0] == 202
    assert await used(door) == 3


async def test_b_143_fifty_messages_at_once_never_exceed_the_quota(door: Door) -> None:
    await door.execute("update accounts set quota = 20")
    people = [await contact(door, phone=f"+4479123456{n:02}") for n in range(50)]
    statuses = [status for status, _ in await asyncio.gather(*(send(door, one.id) for one in people))]
    assert sorted(statuses) == [202] * 20 + [429] * 30
    assert await used(door) == 20
    assert len(await door.fetch("select from occurrences")) == 20


async def test_b_146_an_opt_out_ends_a_message_as_failed_and_returns_its_quota(door: Door) -> None:
    """B-143: what ends unsent is not counted."""
    john = await contact(door)
    await door.execute(
        "insert into suppressions (account_id, address, source, created_at) values ($1, $2, 'api', now())",
        door.account.account_id,
        john.phone,
    )
    _, queued = await send(door, john.id)
    assert await used(door) == 1
    await door.execute("update occurrences set state = 'queued', lease_until = now()")
    (claim,) = await door.fetch("select id, reminder_id from occurrences")
    fallback = door.runtime.settings.policy()
    await settle_unsendable(door.runtime.db, [(claim["id"], claim["reminder_id"])], fallback=fallback)
    _, answer = await door.call("GET", f"/v1/messages/{queued['message_id']}")
    assert (answer["message"]["status"], answer["message"]["reason"]) == ("failed", "opted_out")
    (event,) = await door.fetch("select data from outbox where type = 'message.failed'")
    assert (event["data"]["reason"], event["data"]["occurrence_id"]) == ("opted_out", queued["message_id"])
    assert await used(door) == 0
    assert "message.skipped" not in await door.events()


async def test_the_same_key_sends_one_message(door: Door) -> None:
    john = await contact(door)
    body = {"contact_id": str(john.id), "body": "Hi"}
    answers = [await door.call("POST", "/v1/messages", body, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(await door.fetch("select from occurrences")) == 1
