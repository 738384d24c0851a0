"""Contacts at the CRM door, and the one reminder of each birthday (B-172 to B-176)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.api.conftest import Door
from integration.api.crm_tools import CALL, JEAN, a_contact, error_of, give_owner, messages_of, reminders_of

EXACT = {"is_birthdate_approximate": "exact"}


@pytest.fixture
async def crm(door: Door) -> Door:
    await give_owner(door)
    return door


async def change(door: Door, contact: int, **changes: Any) -> dict[str, Any]:
    status, body = await door.call("PUT", f"/api/contacts/{contact}", {"first_name": "Jean", **changes})
    assert status == 200, body
    changed: dict[str, Any] = body["data"]
    return changed


async def days(door: Door, contact: int) -> list[str]:
    """Month and day of each of a contact's reminders."""
    return [r["next_expected_date"][5:10] for r in await reminders_of(door, contact)]


async def test_a_contact_is_answered_as_the_document_shows_one(crm: Door) -> None:
    """B-180, and what is ours."""
    status, body = await crm.call(
        "POST", "/api/contacts/", {**JEAN, "email": "j@example.com", "phone": "+62 812-3456-7890"}
    )
    made = body["data"]
    assert status == 201
    assert (made["object"], made["first_name"], made["last_name"]) == ("contact", "Jean", "Valjean")
    assert (made["email"], made["phone"], made["is_partial"]) == ("j@example.com", "+6281234567890", False)
    assert made["information"]["dates"] == [
        {"name": "birthdate", "is_birthdate_approximate": "unknown", "birthdate": "1983-10-23T00:00:00Z"}
    ]
    path = f"/api/contacts/{made['id']}"
    assert await crm.call("GET", path) == (200, body)
    assert await crm.call("DELETE", path) == (200, {"deleted": True, "id": made["id"]})
    assert error_of(await crm.call("GET", path)) == (404, 31)
    assert error_of(await crm.call("DELETE", path)) == (404, 31)


async def test_b_172_an_exact_birthdate_makes_a_yearly_reminder(crm: Door) -> None:
    """B-175: one of the year, wishing the person well by name."""
    contact = await a_contact(crm, **EXACT)
    (found,) = await reminders_of(crm, contact)
    assert (found["frequency_type"], found["frequency_number"], found["description"]) == ("year", 1, None)
    assert found["title"] == "Wish Jean Valjean a happy birthday"
    assert found["next_expected_date"][5:10] == "10-23"
    assert datetime.fromisoformat(found["next_send_at"]) > datetime.now(UTC)


async def test_b_173_the_reminder_moves_and_goes_with_the_date(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT)
    (before,) = await reminders_of(crm, contact)
    await change(crm, contact, birthdate="1983-11-24")
    (after,) = await reminders_of(crm, contact)
    assert (after["id"], after["next_expected_date"][5:10]) == (before["id"], "11-24")
    rows = await crm.fetch("select scheduled_for from occurrences where state = 'scheduled'")
    assert [row["scheduled_for"].month for row in rows] == [11]
    changed = await change(crm, contact, birthdate=None)
    assert changed["information"]["dates"][0] == {
        "name": "birthdate",
        "is_birthdate_approximate": "unknown",
        "birthdate": None,
    }
    assert await reminders_of(crm, contact) == []
    await change(crm, contact, birthdate="1983-12-25")
    assert await days(crm, contact) == ["12-25"]


async def test_b_174_only_an_exact_date_has_one(crm: Door) -> None:
    contact = await a_contact(crm, is_birthdate_approximate="approximate", birthdate="1983-01-01")
    assert await days(crm, contact) == []
    await change(crm, contact, is_birthdate_approximate="exact")
    assert await days(crm, contact) == ["01-01"]
    await change(crm, contact, is_birthdate_approximate="approximate")
    assert await days(crm, contact) == []


async def test_b_175_a_new_name_is_the_titles_too_unless_somebody_wrote_another(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT)
    await change(crm, contact, last_name="Madeleine")
    (found,) = await reminders_of(crm, contact)
    assert found["title"] == "Wish Jean Madeleine a happy birthday"
    body = {**CALL, "contact_id": contact, "title": "Bake", "frequency_type": "year", "frequency_number": 1}
    body["next_expected_date"] = found["next_expected_date"][:10]
    assert (await crm.call("PUT", f"/api/reminders/{found['id']}", body))[0] == 200
    await change(crm, contact, last_name="Valjean")
    assert [r["title"] for r in await reminders_of(crm, contact)] == ["Bake"]


async def test_b_175_a_name_that_another_door_changes_is_the_titles_too(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT, email="jean@example.com")
    await crm.call(
        "POST", "/v1/contacts", {"email": "jean@example.com", "first_name": "Fauchelevent", "last_name": None}
    )
    (found,) = await reminders_of(crm, contact)
    assert "Fauchelevent" in found["title"]


async def test_b_172_a_birthdays_date_is_the_contacts_to_say(crm: Door) -> None:
    jean, cosette = await a_contact(crm, **EXACT), await a_contact(crm, first_name="Cosette", **EXACT)
    (found,) = await reminders_of(crm, jean)
    path = f"/api/reminders/{found['id']}"
    body = {**CALL, "contact_id": jean, "frequency_type": "year", "frequency_number": 1}
    for wrong in (
        {"next_expected_date": "2030-01-01"},
        {"next_expected_date": found["next_expected_date"][:10], "contact_id": cosette},
        {"frequency_type": "month"},
    ):
        assert error_of(await crm.call("PUT", path, body | wrong)) == (422, 32)
    both = messages_of(await crm.call("PUT", path, body | {"frequency_type": "month", "contact_id": cosette}))
    assert len(both) == 2
    assert [r["id"] for r in await reminders_of(crm, jean)] == [found["id"]]


async def test_b_173_one_that_was_removed_comes_back_with_another_date_and_no_sooner(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT)
    (found,) = await reminders_of(crm, contact)
    await crm.call("DELETE", f"/api/reminders/{found['id']}")
    await change(crm, contact, last_name="Madeleine")
    assert await days(crm, contact) == []
    await change(crm, contact, birthdate="1983-11-24")
    assert await days(crm, contact) == ["11-24"]


@pytest.mark.parametrize(("given", "kept"), [({}, "feb28"), ({"feb29": "feb28"}, "feb28"), ({"feb29": "mar1"}, "mar1")])
async def test_b_176_29_february_comes_by_the_policy_that_is_chosen(
    crm: Door, given: dict[str, str], kept: str
) -> None:
    contact = await a_contact(crm, birthdate="1984-02-29", **EXACT, **given)
    (found,) = await reminders_of(crm, contact)
    assert found["feb29"] == kept
    assert found["next_expected_date"][5:10] in {"02-29", {"feb28": "02-28", "mar1": "03-01"}[kept]}
    await change(crm, contact, last_name="Leaper")
    assert [r["feb29"] for r in await reminders_of(crm, contact)] == [kept]
    await change(crm, contact, feb29="mar1")
    assert [r["feb29"] for r in await reminders_of(crm, contact)] == ["mar1"]


async def test_b_173_changes_at_once_leave_one_reminder_of_the_last_date(crm: Door) -> None:
    contact = await a_contact(crm)
    calls = [change(crm, contact, birthdate=f"1983-10-{day}") for day in range(10, 30)]
    await asyncio.gather(*calls)
    (kept,) = await crm.fetch("select birthdate from contacts")
    assert await days(crm, contact) == [f"{kept['birthdate']:%m-%d}"]
    assert len(await crm.fetch("select id from occurrences where state = 'scheduled'")) == 1
    await crm.events()


async def test_a_contact_is_removed_with_its_reminders(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT)
    (found,) = await reminders_of(crm, contact)
    assert (await crm.call("DELETE", f"/api/contacts/{contact}/"))[0] == 200
    assert error_of(await crm.call("GET", f"/api/reminders/{found['id']}")) == (404, 31)
    assert await crm.events() == ["contact.created", "reminder.created", "reminder.deleted", "contact.deleted"]


async def test_a_contact_that_another_door_removes_takes_its_reminders_along(crm: Door) -> None:
    contact = await a_contact(crm, **EXACT)
    _, body = await crm.call("GET", f"/api/contacts/{contact}")
    assert (await crm.call("DELETE", f"/v1/contacts/{body['data']['uuid']}"))[0] == 200
    assert (await crm.call("GET", "/api/reminders"))[1]["data"] == []


async def test_b_106_a_phone_or_email_of_somebody_else_is_refused(crm: Door) -> None:
    await a_contact(crm, email="jean@example.com")
    other = await a_contact(crm, first_name="Cosette")
    taken = {"first_name": "Cosette", "email": "JEAN@example.com"}
    assert error_of(await crm.call("POST", "/api/contacts", taken)) == (409, 35)
    assert error_of(await crm.call("PUT", f"/api/contacts/{other}", taken)) == (409, 35)


async def test_b_106_a_hundred_creations_of_one_person_at_once_make_one(crm: Door) -> None:
    """With one reminder of the birthday (B-173)."""
    body = {**JEAN, **EXACT, "email": "jean@example.com"}
    answers = await asyncio.gather(*(crm.call("POST", "/api/contacts", body) for _ in range(100)))
    assert sorted({status for status, _ in answers}) == [201, 409]
    assert sum(status == 201 for status, _ in answers) == 1
    assert len(await crm.fetch("select id from contacts")) == 1
    assert len(await crm.fetch("select id from reminders where birthday")) == 1
    await crm.events()


async def test_what_a_change_leaves_out_stays_and_null_clears(crm: Door) -> None:
    contact = await a_contact(crm, email="jean@example.com", phone="+6281234567890", **EXACT)
    assert (await change(crm, contact, phone=None))["phone"] is None
    _, body = await crm.call("GET", f"/api/contacts/{contact}")
    assert (body["data"]["email"], body["data"]["last_name"], body["data"]["gender"]) == (
        "jean@example.com",
        "Valjean",
        "male",
    )
    assert await days(crm, contact) == ["10-23"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_name": ...},
        {"first_name": " "},
        {"first_name": "J\x07"},
        {"last_name": "x" * 256},
        {"birthdate": "23-10-1983"},
        {"birthdate": "1983-02-29"},
        {"birthdate": str((datetime.now(UTC) + timedelta(days=2)).date())},
        {"birthdate": None, **EXACT},
        {"is_birthdate_approximate": "roughly"},
        {"is_partial": "yes"},
        {"email": "nobody"},
        {"phone": "0812345678"},
        {"phone": "+1"},
        {"feb29": "mar2"},
    ],
)
async def test_b_199_a_contact_that_is_wrong_is_refused_and_not_written(crm: Door, wrong: dict[str, Any]) -> None:
    body = {name: value for name, value in {**JEAN, **wrong}.items() if value is not ...}
    answer = await crm.call("POST", "/api/contacts", body)
    assert error_of(answer) == (422, 32)
    assert len(messages_of(answer)) == 1
    assert await crm.fetch("select id from contacts") == []


async def test_b_177_without_an_owner_a_birthday_is_refused_whole(door: Door) -> None:
    answer = await door.call("POST", "/api/contacts", {**JEAN, **EXACT})
    assert error_of(answer) == (422, 32)
    assert await door.fetch("select id from contacts") == []
    assert (await door.call("POST", "/api/contacts", JEAN))[0] == 201
