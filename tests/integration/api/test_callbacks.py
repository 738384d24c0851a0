"""Callbacks of providers over HTTP: signed ones are written down, whatever else comes changes nothing (V-09)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from services.api.callbacks import twilio, whatsapp
from shared.domain.receipt import reference
from tests.builders import a_reminder

if TYPE_CHECKING:
    from conftest import Door

from integration.api.conftest import open_door

from shared.runtime.settings import Settings

PUBLIC, TOKEN, SECRET = "https://bell.example.com", "t0ken", "app-s3cret"


@pytest.fixture
async def reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """A door to which providers report."""
    monkeypatch.setenv("BELLTOWER_PUBLIC_URL", PUBLIC)
    monkeypatch.setenv("BELLTOWER_TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("BELLTOWER_WHATSAPP_APP_SECRET", SECRET)
    monkeypatch.setenv("BELLTOWER_WHATSAPP_VERIFY_TOKEN", "ours")
    async with open_door(Settings()) as door:
        yield door


async def sent(door: Door, provider: str, state: str = "sent") -> tuple[UUID, UUID]:
    """A reminder whose only send is in that state; the ids of its send and its attempt."""
    status, _ = await door.reminder("POST", "r-1", a_reminder())
    assert status in {200, 201}
    await door.execute(
        """update occurrences set state = $1, attempt = 1, attempt_id = gen_random_uuid(), provider = $2,
               takes_key = false, attempt_started_at = clock_timestamp(),
               lease_until = case when $1 = 'sending' then clock_timestamp() + interval '30 seconds' end,
               ended_at = case when $1 <> 'sending' then clock_timestamp() end""",
        state,
        provider,
    )
    if state != "sending":
        await door.execute(
            """update reminders r set status = case o.state when 'sent' then 'completed' else 'expired' end,
                   ended_at = o.ended_at, updated_at = o.ended_at
               from occurrences o where o.reminder_id = r.id"""
        )
    (row,) = await door.fetch("select id, attempt_id from occurrences")
    return row["id"], row["attempt_id"]


async def by_twilio(door: Door, ids: tuple[UUID, UUID], status: str, *, token: str = TOKEN, **more: str) -> int:
    query = urlencode({"attempt": str(ids[1]), "occurrence": str(ids[0])})
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+6281234567890", **more}
    lists = {name: [value] for name, value in form.items()}
    proof = twilio.signature(token.encode(), f"{PUBLIC}/callbacks/twilio?{query}", lists)
    response = await door.client.post(f"/callbacks/twilio?{query}", data=form, headers={"X-Twilio-Signature": proof})
    assert b"62812" not in await response.read()
    return response.status


async def by_meta(door: Door, *statuses: dict[str, Any], secret: str = SECRET) -> int:
    body = json.dumps({"entry": [{"changes": [{"value": {"statuses": list(statuses)}}]}]}).encode()
    headers = {"X-Hub-Signature-256": whatsapp.signature(secret.encode(), body), "Content-Type": "application/json"}
    return (await door.client.post("/callbacks/whatsapp", data=body, headers=headers)).status


def a_status(ids: tuple[UUID, UUID], status: str) -> dict[str, Any]:
    return {"id": "wamid.X", "status": status, "biz_opaque_callback_data": reference(*ids), "timestamp": "1750857384"}


@pytest.mark.parametrize("state", ["sending", "uncertain", "sent"])
async def test_a_report_of_twilio_is_written_whatever_was_known_b_263(reported: Door, state: str) -> None:
    ids = await sent(reported, "twilio", state)
    for status in ("delivered", "sent", "delivered"):
        assert await by_twilio(reported, ids, status) == 200
    (row,) = await reported.fetch("select state, receipt, provider_message_id, receipt_at from occurrences")
    assert (row["state"], row["receipt"], row["provider_message_id"]) == ("sent", "delivered", "SM1")
    assert row["receipt_at"] is not None
    events = await reported.events()
    assert events.count("message.delivered") == 1
    assert ("message.sent" in events) == (state != "sent")
    _, answer = await reported.call("GET", f"/v1/messages/{ids[0]}")
    assert (answer["message"]["status"], answer["message"]["receipt"]) == ("sent", "delivered")
    _, item = await reported.reminder("GET", "r-1")
    assert item["history"][-1]["action"] == "Delivered"


async def test_a_body_of_meta_tells_of_many_messages_b_263(reported: Door) -> None:
    ids = await sent(reported, "whatsapp", "uncertain")
    statuses = [a_status(ids, status) for status in ("read", "delivered", "sent")]
    assert await by_meta(reported, *statuses, a_status((uuid4(), uuid4()), "read")) == 200
    (row,) = await reported.fetch("select state, receipt from occurrences")
    assert (row["state"], row["receipt"]) == ("sent", "read")
    events = await reported.events()
    assert [event for event in events if event.startswith("message.")] == [
        "message.sent",
        "message.delivered",
        "message.read",
    ]


async def test_what_is_nobodys_or_says_nothing_is_answered_200(reported: Door) -> None:
    ids = await sent(reported, "twilio")
    assert await by_twilio(reported, (uuid4(), uuid4()), "delivered") == 200
    assert await by_twilio(reported, (ids[0], uuid4()), "delivered") == 200
    assert await by_twilio(reported, ids, "receiving") == 200
    assert await by_meta(reported, a_status((uuid4(), uuid4()), "read")) == 200
    assert await by_meta(reported, {"id": "wamid.Y", "status": "delivered"}) == 200
    assert await by_meta(reported) == 200
    (row,) = await reported.fetch("select receipt from occurrences")
    assert row["receipt"] is None


async def test_a_report_of_one_provider_says_nothing_of_anothers_message(reported: Door) -> None:
    ids = await sent(reported, "twilio", "uncertain")
    assert await by_meta(reported, a_status(ids, "delivered")) == 200
    (row,) = await reported.fetch("select state, receipt from occurrences")
    assert (row["state"], row["receipt"]) == ("uncertain", None)


async def test_what_is_not_signed_so_is_refused_and_changes_nothing(reported: Door) -> None:
    ids = await sent(reported, "twilio", "uncertain")
    assert await by_twilio(reported, ids, "delivered", token="other") == 403
    assert await by_meta(reported, a_status(ids, "delivered"), secret="other") == 403
    response = await reported.client.post("/callbacks/twilio", data={"MessageSid": "SM1", "MessageStatus": "sent"})
    assert response.status == 403
    assert (await response.json())["error"]["code"] == "signature_invalid"
    assert (await reported.client.post("/callbacks/twilio", data=b"\xff\x00")).status == 403
    assert (await reported.client.post("/callbacks/twilio", data=b"x" * 70_000)).status == 413
    (row,) = await reported.fetch("select state, receipt from occurrences")
    assert (row["state"], row["receipt"]) == ("uncertain", None)


async def test_meta_asks_whether_this_is_the_place(reported: Door) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "ours", "hub.challenge": "1158201444"}
    response = await reported.client.get("/callbacks/whatsapp", params=asked)
    assert (response.status, await response.text()) == (200, "1158201444")
    response = await reported.client.get("/callbacks/whatsapp", params={**asked, "hub.verify_token": "theirs"})
    assert response.status == 403
    assert "ours" not in await response.text()


async def test_no_word_of_a_callback_is_logged_or_told_in_events(reported: Door) -> None:
    ids = await sent(reported, "twilio")
    with capture_logs() as lines:
        assert await by_twilio(reported, ids, "undelivered", ErrorCode="30003", Body="secret text") == 200
    rows = await reported.fetch("select data::text from outbox union all select detail from history")
    told = json.dumps(lines, default=str) + str(rows)
    for secret in ("+62812", "62812345", "secret text", TOKEN, SECRET):
        assert secret not in told
    assert "30003" in told


async def test_without_a_secret_there_is_no_such_path(door: Door) -> None:
    for name in ("twilio", "whatsapp"):
        assert (await door.client.post(f"/callbacks/{name}")).status == 404
    assert (await door.client.get("/callbacks/whatsapp")).status == 404


async def test_while_the_database_is_away_a_provider_is_asked_to_come_again(reported: Door) -> None:
    ids = await sent(reported, "twilio")
    await reported.execute("alter table occurrences rename to away")
    assert await by_twilio(reported, ids, "delivered") == 503
    await reported.execute("alter table away rename to occurrences")
    assert await by_twilio(reported, ids, "delivered") == 200
