"""Erasing a person: afterwards no row of any table holds their number, address, name or text (B-129)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.scheduler.scheduler import Scheduler
from shared.store import sandbox
from shared.store.sandbox import SandboxMessage
from tests.builders import a_reminder, an_item, in_future
from tests.integration.api.appointment_tools import open_practice
from tests.integration.api.campaign_tools import a_one_off, campaign

if TYPE_CHECKING:
    from conftest import Door

PHONE, EMAIL = "+447700900777", "Zebra.Finch@example.com"
TRACES = ("7700900777", "zebra", "5a65627261")
"""What must not be found: the number, every text of the person, and the beginning of it as bytes are written."""
BRITISH = {"countryCode": "+44", "phoneNumber": "7700900777", "recipientName": "Zebra Finch"}


async def live(door: Door) -> str:
    """A person whom every door writes to; the contact's id."""
    await door.execute("update accounts set owner_email = 'owner@example.com'")
    sale = await campaign(door, a_one_off(body="Dear {first_name}, a sale"))
    person = {
        "phone": PHONE,
        "email": EMAIL,
        "first_name": "Zebra",
        "last_name": "Zebrason",
        "marketing_consent": True,
        "note": "likes zebras",
        "tags": ["zebra"],
        "custom_fields": {"pet": "zebra"},
        "campaign_ids": [sale],
    }
    id: str = (await made(door, "POST", "/v1/contacts", person))["contact_id"]
    await made(door, "POST", "/v1/messages", {"contact_id": id, "body": "zebra text"}, key="kept")
    await made(door, "POST", "/v1/messages", {"contact_id": id, "body": "zebra mail", "channel": "email"})
    await made(door, "POST", "/api/reminder/item/create", an_item(**BRITISH, templateParameters=["zebra"]))
    assert (await door.reminder("POST", "rem-1", a_reminder(**BRITISH, templateParameters=["zebra"])))[0] == 201
    practice = await open_practice(door)
    await practice.booked(
        phone=PHONE, firstName="Zebra", emailAddress=EMAIL, metadata={"eventLocation": "the zebra house"}
    )
    (row,) = await door.fetch("select number from contacts")
    about = {"title": "Call the zebra", "next_expected_date": in_future(days=9)[:10], "frequency_type": "one_time"}
    await made(door, "POST", "/api/reminders", {**about, "contact_id": row["number"]})
    person = {"first_name": "Zebra", "gender": "male", "is_birthdate_approximate": "exact", "birthdate": "1983-10-23"}
    await made(door, "PUT", f"/api/contacts/{row['number']}", person)
    for address in ({"phone": PHONE}, {"email": EMAIL}):
        await made(door, "POST", "/v1/opt-outs", address)
    return id


async def made(door: Door, method: str, path: str, body: Any, *, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    status, answer = await door.call(method, path, body, headers=headers)
    assert status < 300, answer
    return answer


async def told_and_sent(door: Door, contact: str) -> None:
    """As if webhooks had told of all of it, and the sandbox had been given all of it."""
    hook = {"name": "all", "target_url": "https://example.com/x", "event_types": ["message.sent"]}
    endpoint = (await made(door, "POST", "/v1/webhooks", hook))["endpoint"]["id"]
    rows = await door.fetch("select id, channel, address from reminders")
    for n, row in enumerate([*rows, {"id": UUID(contact), "channel": "sms", "address": PHONE}]):
        await door.execute(
            """with owed as (
                   insert into deliveries (id, account_id, endpoint_id, event_id, event_type, subject, body, state,
                       due_at, created_at, ended_at)
                   values (gen_random_uuid(), $1, $2::text::uuid, gen_random_uuid(), 'message.sent', $3,
                       '{"to": "Zebra +447700900777"}', 'delivered', now(), now(), now()) returning id)
               insert into delivery_attempts (id, delivery_id, number, started_at, duration, status_code, response)
               select gen_random_uuid(), id, 1, now(), '1 s', 500, 'no such zebra' from owed""",
            door.account.account_id,
            endpoint,
            row["id"],
        )
        async with door.runtime.db.transaction() as tx:
            await sandbox.keep(tx, given(door, n, row))


def given(door: Door, n: int, row: dict[str, Any]) -> SandboxMessage:
    return SandboxMessage(
        key=f"key-{n}",
        account_id=door.account.account_id,
        occurrence_id=row["id"],
        reminder_id=row["id"],
        external_id="x",
        channel=row["channel"],
        address=row["address"],
        template=None,
        language=None,
        parameters=["zebra"],
        text="Dear Zebra",
        subject="zebra",
        scheduled_for=datetime(2031, 1, 1, tzinfo=UTC),
    )


async def traces(door: Door) -> list[tuple[str, str]]:
    """Table and row of whatever still holds something of the person."""
    tables = await door.fetch(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
    )
    return [
        (table["relname"], row["row"])
        for table in tables
        for row in await door.fetch(f"select to_jsonb(t)::text as row from {table['relname']} t")
        if any(trace in row["row"].lower() for trace in TRACES)
    ]


async def test_b_129_nothing_of_an_erased_person_is_in_any_table(door: Door) -> None:
    id = await live(door)
    await told_and_sent(door, id)
    before = {table for table, _ in await traces(door)}
    assert {"contacts", "reminders", "occurrences", "sandbox_messages", "deliveries", "suppressions"} <= before
    status, _ = await door.call("DELETE", f"/v1/contacts/{id}?erase=true")
    assert status == 200
    assert await traces(door) == []
    assert await door.fetch("select 1 from reminders") == []


async def test_b_129_others_keep_all_of_theirs(door: Door) -> None:
    id = await live(door)
    other = {"phone": "+447700900778", "email": "other@example.com", "first_name": "Other"}
    kept = (await made(door, "POST", "/v1/contacts", other))["contact_id"]
    await made(door, "POST", "/v1/messages", {"contact_id": kept, "body": "stays"})
    await made(door, "POST", "/api/reminder/item/create", an_item("other", phoneNumber="81234567891"))
    stranger = await door.another_account()
    elsewhere = an_item("stranger", **BRITISH)
    status, _ = await door.call("POST", "/api/reminder/item/create", elsewhere, key=stranger.api_key)
    assert status == 201
    await door.call("DELETE", f"/v1/contacts/{id}?erase=true")
    rows = await door.fetch("select door, account_id, status from reminders order by created_at")
    assert [(row["door"], row["status"]) for row in rows] == [
        ("campaigns", "active"),
        ("items", "active"),
        ("items", "active"),
    ]
    assert {str(row["account_id"]) for row in rows} == {str(door.account.account_id), str(stranger.account_id)}
    assert len(await door.fetch("select 1 from contacts")) == 1


async def test_b_267_who_opted_out_and_was_erased_is_still_left_alone(door: Door) -> None:
    """Of the opt-out a digest is left: it holds, it can be asked for and taken back, and it cannot be listed."""
    id = await live(door)
    await door.call("DELETE", f"/v1/contacts/{id}?erase=true")
    listed = await door.call("GET", "/v1/opt-outs")
    assert (listed[1]["total"], listed[1]["opt_outs"]) == (0, [])
    for address in (PHONE, EMAIL.lower(), EMAIL):
        status, answer = await door.call("GET", f"/v1/opt-outs/{address}")
        assert status == 200, answer
    again = an_item("again", **BRITISH, sendTimes=[in_future(seconds=-1)])
    await made(door, "POST", "/api/reminder/item/create", again)
    await Scheduler(door.runtime).tick()
    (row,) = await door.fetch("select state, reason from occurrences")
    assert (row["state"], row["reason"]) == ("skipped", "opted_out")
    assert (await door.call("DELETE", f"/v1/opt-outs/{PHONE}"))[0] == 200
    assert (await door.call("GET", f"/v1/opt-outs/{PHONE}"))[0] == 404
    stranger = await door.another_account()
    assert (await door.call("GET", f"/v1/opt-outs/{EMAIL}", key=stranger.api_key))[0] == 404


@pytest.mark.parametrize("times", [2])
async def test_b_267_somebody_may_opt_out_and_be_erased_more_than_once(door: Door, times: int) -> None:
    for _ in range(times):
        person = {"phone": PHONE, "first_name": "Zebra"}
        id = (await made(door, "POST", "/v1/contacts", person))["contact_id"]
        await made(door, "POST", "/v1/opt-outs", {"phone": PHONE})
        assert (await door.call("DELETE", f"/v1/contacts/{id}?erase=true"))[0] == 200
    assert await traces(door) == []
    assert len(await door.fetch("select 1 from suppressions")) == 1


async def test_b_129_what_comes_to_the_sandbox_after_an_erasure_is_not_kept(door: Door) -> None:
    """A call that was under way: it ends as it would have, and leaves nothing."""
    id = await live(door)
    rows = await door.fetch("select id, channel, address from reminders")
    await door.call("DELETE", f"/v1/contacts/{id}?erase=true")
    for n, row in enumerate(rows):
        async with door.runtime.db.transaction() as tx:
            assert (await sandbox.keep(tx, given(door, n, row))).startswith("sandbox_")
    assert await traces(door) == []
