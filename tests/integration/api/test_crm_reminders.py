"""The CRM door's reminders: created, read, changed, moved and removed by number (document 003)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from integration.api.conftest import Door, open_door
from integration.api.crm_tools import (
    CALL,
    a_contact,
    a_reminder,
    error_of,
    give_owner,
    make_it_noon,
    reminders_of,
)

from services.api.core.accounts import change_account
from shared.runtime.settings import Settings

SOON = (datetime.now(UTC) + timedelta(days=40)).date()


@pytest.fixture
async def crm(door: Door) -> Door:
    await give_owner(door)
    return door


async def pending(door: Door) -> list[datetime]:
    rows = await door.fetch("select scheduled_for from occurrences where state = 'scheduled' order by 1")
    return [row["scheduled_for"] for row in rows]


async def test_b_181_a_reminder_has_every_field_of_its_document(crm: Door) -> None:
    """B-180: with its contact inside; B-183: instants in whole seconds; B-200: 201."""
    contact = await a_contact(crm, last_name=None, birthdate=None)
    made = await a_reminder(crm, contact)
    account = {"id": (await crm.fetch("select number from accounts"))[0]["number"]}
    assert made["contact"] == {
        "id": contact,
        "object": "contact",
        "first_name": "Jean",
        "last_name": None,
        "gender": "male",
        "is_partial": False,
        "information": {"dates": [{"name": "birthdate", "is_birthdate_approximate": "unknown", "birthdate": None}]},
        "account": account,
    }
    assert (made["object"], made["title"], made["description"]) == ("reminder", CALL["title"], CALL["description"])
    assert (made["frequency_type"], made["frequency_number"], made["account"]) == ("day", 3, account)
    assert (made["last_triggered_date"], made["active"], made["status"]) == (None, True, "active")
    for stamp in ("created_at", "updated_at", "next_expected_date", "next_send_at"):
        assert datetime.strptime(made[stamp], "%Y-%m-%dT%H:%M:%SZ"), stamp  # noqa: DTZ007 - the Z is in it
    assert isinstance(made["id"], int)
    assert await crm.call("GET", f"/api/reminders/{made['id']}") == (200, {"data": made})


async def test_b_182_a_description_may_be_null_empty_or_left_out(crm: Door) -> None:
    contact = await a_contact(crm)
    for given, answered in ((None, None), ("", ""), (..., None)):
        made = await a_reminder(crm, contact, description=given)
        assert made["description"] == answered
        assert (await crm.call("GET", f"/api/reminders/{made['id']}"))[1]["data"]["description"] == answered


@pytest.mark.parametrize("unit", ["day", "week", "month", "year"])
async def test_b_168_each_frequency_recurs_and_a_past_date_is_rolled_forward(crm: Door, unit: str) -> None:
    """B-167, B-169, B-196: the first date to come; B-171: one unit apart where nothing else is said."""
    made = await a_reminder(crm, await a_contact(crm), frequency_type=unit, frequency_number=...)
    assert (made["frequency_type"], made["frequency_number"]) == (unit, 1)
    found = date.fromisoformat(made["next_expected_date"][:10])
    assert datetime.now(UTC).date() <= found <= datetime.now(UTC).date() + timedelta(days=366)
    assert made["next_send_at"] == f"{found}T09:00:00Z"


async def test_b_184_it_is_sent_at_the_accounts_hour_in_its_zone_to_its_owner(crm: Door) -> None:
    """B-177 (the mail itself is in the tests of sending); the door is told apart, the channel is e-mail."""
    await crm.execute("update accounts set time_zone = 'Asia/Tokyo', reminder_hour = 7")
    made = await a_reminder(crm, await a_contact(crm), next_expected_date=str(SOON), frequency_type="one_time")
    assert made["next_expected_date"] == f"{SOON}T00:00:00Z"
    assert made["next_send_at"] == f"{SOON - timedelta(days=1)}T22:00:00Z"
    (row,) = await crm.fetch("select door, channel, address, subject, text from reminders")
    assert row == {
        "door": "crm",
        "channel": "email",
        "address": "owner@example.com",
        "subject": CALL["title"],
        "text": CALL["description"],
    }


async def test_b_196_today_is_to_come_until_the_hour_has_passed(crm: Door) -> None:
    contact = await a_contact(crm)
    today = (await make_it_noon(crm, reminder_hour=14)).date()
    made = await a_reminder(crm, contact, next_expected_date=str(today), frequency_type="one_time")
    assert made["next_expected_date"] == f"{today}T00:00:00Z"
    await make_it_noon(crm, reminder_hour=10)
    late = {**CALL, "contact_id": contact, "next_expected_date": str(today), "frequency_type": "one_time"}
    assert error_of(await crm.call("POST", "/api/reminder", late)) == (422, 38)
    assert error_of(await crm.call("PUT", f"/api/reminders/{made['id']}", late)) == (422, 38)
    rolled = await a_reminder(crm, contact, next_expected_date=str(today), frequency_type="week", frequency_number=1)
    assert rolled["next_expected_date"] == f"{today + timedelta(days=7)}T00:00:00Z"


@pytest.mark.parametrize("number", [3, 0, -1, 10_000, 10**30, None])
async def test_b_171_a_number_means_nothing_for_one_date(crm: Door, number: int | None) -> None:
    """Clients of the document's own server send 0, or whatever they have."""
    changes = {"next_expected_date": str(SOON), "frequency_type": "one_time", "frequency_number": number}
    made = await a_reminder(crm, await a_contact(crm), **changes)
    assert (made["frequency_type"], made["frequency_number"]) == ("one_time", 1)


@pytest.mark.parametrize("path", ["/api/reminder", "/api/reminder/", "/api/reminders", "/api/reminders/"])
async def test_b_192_it_is_created_at_either_path_with_and_without_a_slash(crm: Door, path: str) -> None:
    body = {**CALL, "contact_id": await a_contact(crm)}
    status, answer = await crm.call("POST", path, body)
    assert (status, answer["data"]["title"]) == (201, CALL["title"])


async def test_b_201_a_change_takes_the_same_fields_and_answers_with_the_reminder(crm: Door) -> None:
    contact = await a_contact(crm)
    made = await a_reminder(crm, contact)
    body = {"title": "Write", "next_expected_date": str(SOON), "frequency_type": "month", "contact_id": contact}
    status, changed = await crm.call("PUT", f"/api/reminders/{made['id']}", body)
    assert status == 200
    assert changed["data"] == {
        **made,
        "title": "Write",
        "description": None,
        "next_expected_date": f"{SOON}T00:00:00Z",
        "frequency_type": "month",
        "frequency_number": 1,
        "updated_at": changed["data"]["updated_at"],
        "next_send_at": f"{SOON}T09:00:00Z",
    }
    del body["next_expected_date"]
    assert error_of(await crm.call("PUT", f"/api/reminders/{made['id']}", body)) == (422, 32)


async def test_b_202_it_may_move_to_another_contact(crm: Door) -> None:
    jean, cosette = await a_contact(crm), await a_contact(crm, first_name="Cosette")
    made = await a_reminder(crm, jean)
    status, moved = await crm.call("PUT", f"/api/reminders/{made['id']}", {**CALL, "contact_id": cosette})
    assert (status, moved["data"]["id"], moved["data"]["contact"]["first_name"]) == (200, made["id"], "Cosette")
    assert ([r["id"] for r in await reminders_of(crm, jean)], len(await reminders_of(crm, cosette))) == ([], 1)
    unknown = {**CALL, "contact_id": 999_999}
    assert error_of(await crm.call("PUT", f"/api/reminders/{made['id']}", unknown)) == (404, 31)


async def test_b_203_a_new_date_leaves_nothing_of_the_old_one_waiting(crm: Door) -> None:
    contact = await a_contact(crm)
    made = await a_reminder(crm, contact)
    for frequency in ("year", "one_time", "week"):
        body = {**CALL, "contact_id": contact, "next_expected_date": str(SOON), "frequency_type": frequency}
        await crm.call("PUT", f"/api/reminders/{made['id']}", body)
        assert await pending(crm) == [datetime(SOON.year, SOON.month, SOON.day, 9, tzinfo=UTC)]
    assert await crm.events() == ["contact.created", "reminder.created", *["reminder.updated"] * 3]


async def test_b_206_what_was_read_can_be_written_back_and_keeps_its_31st(crm: Door) -> None:
    """Where the 31st is read as the 30th, the anchor stays where it was."""
    contact = await a_contact(crm)
    made = await a_reminder(crm, contact, next_expected_date="2018-01-31", frequency_type="month", frequency_number=1)
    body = {**CALL, "contact_id": contact, "frequency_type": "month", "frequency_number": 1, "title": "Still the 31st"}
    body["next_expected_date"] = made["next_expected_date"][:10]
    status, changed = await crm.call("PUT", f"/api/reminders/{made['id']}", body)
    assert (status, changed["data"]["title"]) == (200, "Still the 31st")
    assert changed["data"]["next_expected_date"] == made["next_expected_date"]
    assert (await crm.fetch("select schedule ->> 'anchor' as anchor from reminders"))[0]["anchor"] == "2018-01-31"


async def test_b_204_a_removed_reminder_is_gone_with_what_it_had_planned(crm: Door) -> None:
    made = await a_reminder(crm, await a_contact(crm))
    path = f"/api/reminders/{made['id']}/"
    assert await crm.call("DELETE", path) == (200, {"deleted": True, "id": made["id"]})
    assert error_of(await crm.call("DELETE", path)) == (404, 31)
    assert error_of(await crm.call("GET", path)) == (404, 31)
    assert await pending(crm) == []
    assert await crm.events() == ["contact.created", "reminder.created", "reminder.deleted"]


async def test_b_179_a_single_date_that_is_over_stays_readable_and_can_be_set_anew(crm: Door) -> None:
    contact = await a_contact(crm)
    made = await a_reminder(crm, contact, next_expected_date=str(SOON), frequency_type="one_time")
    await crm.execute("update occurrences set state = 'sent', ended_at = now()")
    await crm.execute("update reminders set status = 'completed', ended_at = now()")
    _, read = await crm.call("GET", f"/api/reminders/{made['id']}")
    over = read["data"]
    assert (over["active"], over["status"], over["next_expected_date"]) == (False, "completed", None)
    assert (over["last_triggered_date"], over["next_send_at"]) == (f"{SOON}T00:00:00Z", None)
    later = SOON + timedelta(days=1)
    body = {**CALL, "contact_id": contact, "next_expected_date": str(later), "frequency_type": "one_time"}
    _, again = await crm.call("PUT", f"/api/reminders/{made['id']}", body)
    assert (again["data"]["active"], again["data"]["next_expected_date"]) == (True, f"{later}T00:00:00Z")
    assert again["data"]["last_triggered_date"] == f"{SOON}T00:00:00Z"


async def test_b_267_what_another_account_has_is_not_there(crm: Door) -> None:
    """B-198 among them: whatever the verb, another account's number is as unknown as any."""
    contact = await a_contact(crm)
    made = await a_reminder(crm, contact)
    other = (await crm.another_account()).api_key
    await crm.execute("update accounts set owner_email = 'other@example.com' where name = 'Other'")
    body = {**CALL, "contact_id": contact}
    paths = (f"/api/reminders/{made['id']}", f"/api/contacts/{contact}")
    calls = [(method, path, body | {"first_name": "J"}) for path in paths for method in ("GET", "PUT", "DELETE")]
    calls += [("POST", "/api/reminder", body), ("GET", f"/api/contacts/{contact}/reminders", None)]
    for method, path, json in calls:
        sent = json if method in {"PUT", "POST"} else None
        assert error_of(await crm.call(method, path, sent, key=other)) == (404, 31), (method, path)
    for path in ("/api/reminders", "/api/contacts"):
        assert (await crm.call("GET", path, key=other))[1]["data"] == []
    assert (await crm.call("GET", f"/api/reminders/{made['id']}")) == (200, {"data": made})


async def test_b_198_reminders_go_with_their_contact_even_while_they_are_made(crm: Door) -> None:
    """Whichever comes first: no reminder is left about nobody."""
    contact = await a_contact(crm, is_birthdate_approximate="exact")
    made = await a_reminder(crm, contact)
    body = {**CALL, "contact_id": contact}
    calls = [crm.call("POST", "/api/reminder", body) for _ in range(5)]
    calls += [crm.call("PUT", f"/api/reminders/{made['id']}", body | {"title": f"{n}"}) for n in range(5)]
    calls.insert(5, crm.call("DELETE", f"/api/contacts/{contact}"))
    answers = await asyncio.gather(*calls)
    assert {status for status, _ in answers} <= {200, 201, 404}
    assert answers[5] == (200, {"deleted": True, "id": contact})
    assert await crm.fetch("select id from reminders") == []
    assert await pending(crm) == []
    kinds = await crm.events()
    assert kinds.count("reminder.created") == kinds.count("reminder.deleted")


async def test_b_177_what_is_planned_goes_to_the_owners_new_address(crm: Door) -> None:
    await a_reminder(crm, await a_contact(crm))
    account = crm.account.account_id
    async with crm.runtime.db.transaction() as tx:
        await change_account(tx, account, owner_email="new@example.com", reminder_hour=7, now=datetime.now(UTC))
    (row,) = await crm.fetch("select address, schedule ->> 'at' as at from reminders")
    assert row == {"address": "new@example.com", "at": "09:00"}


async def test_b_196_a_single_date_that_is_over_is_taken_where_the_deployment_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLTOWER_ALLOW_PAST_DATES", "true")
    async with open_door(Settings()) as lenient:
        await give_owner(lenient)
        made = await a_reminder(lenient, await a_contact(lenient), frequency_type="one_time")
        assert (made["next_expected_date"], made["active"]) == ("2018-09-09T00:00:00Z", True)


async def test_b_177_without_an_owner_a_reminder_is_refused_in_plain_words(door: Door) -> None:
    contact = await a_contact(door)
    answer = await door.call("POST", "/api/reminder", {**CALL, "contact_id": contact})
    assert error_of(answer) == (422, 32)
    assert "owner" in answer[1]["error"]["message"][0]
    assert await door.fetch("select id from reminders") == []


async def test_b_272_the_same_key_gets_the_same_reminder(crm: Door) -> None:
    body = {**CALL, "contact_id": await a_contact(crm)}
    headers = {"Idempotency-Key": "once"}
    first = await crm.call("POST", "/api/reminder", body, headers=headers)
    assert await crm.call("POST", "/api/reminder", body, headers=headers) == first
    assert len(await crm.fetch("select id from reminders")) == 1
    answer = await crm.call("POST", "/api/reminder", {**body, "title": "Another"}, headers=headers)
    assert error_of(answer) == (409, 409)
