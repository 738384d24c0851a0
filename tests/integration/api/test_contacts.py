"""`POST /v1/contacts` over HTTP: one row for each person, whatever comes, and nothing half-written (document 002)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Door

PHONE, EMAIL = "+447912345678", "John.Smith@example.com"


async def upsert(door: Door, status: int = 201, **body: Any) -> dict[str, Any]:
    """The contact in the answer."""
    got, answer = await door.call("POST", "/v1/contacts", body)
    assert got == status, answer
    contact: dict[str, Any] = answer["contact"]
    assert answer["contact_id"] == contact["id"]
    return contact


async def refused(door: Door, **body: Any) -> dict[str, Any]:
    """The error of a 400, which wrote nothing."""
    before = await door.fetch("select * from contacts order by id")
    status, answer = await door.call("POST", "/v1/contacts", body)
    assert (status, answer["success"]) == (400, False), answer
    assert await door.fetch("select * from contacts order by id") == before
    error: dict[str, Any] = answer["error"]
    return error


async def test_b_109_and_b_110_the_documents_example_is_echoed_as_it_was_given(door: Door) -> None:
    """B-086, B-099, B-103, B-104, B-105, B-112: every field of the document, a past date too."""
    given = {
        "phone": PHONE,
        "first_name": "John",
        "last_name": "Smith",
        "marketing_consent": True,
        "next_due_at": "2025-03-15",
        "is_recurrent": True,
        "recurrent_interval_value": 12,
        "recurrent_interval_unit": "months",
    }
    status, answer = await door.call("POST", "/v1/contacts", given)
    assert (status, answer["success"], answer["action"], answer["enrollments"]) == (201, True, "created", [])
    assert {name: answer["contact"][name] for name in given} == given
    assert answer["contact_id"] == answer["contact"]["id"]
    assert answer["contact"]["tags"] == []
    status, answer = await door.call("POST", "/v1/contacts", given)
    assert (status, answer["action"]) == (200, "updated")
    assert await door.events() == ["contact.created"]


async def test_b_099_and_b_108_a_contact_is_found_by_phone_or_by_email_in_any_case(door: Door) -> None:
    made = await upsert(door, phone=PHONE, email=EMAIL)
    assert made["email"] == EMAIL
    by_phone = await upsert(door, 200, phone=PHONE, first_name="John")
    by_email = await upsert(door, 200, email=EMAIL.upper(), last_name="Smith")
    assert made["id"] == by_phone["id"] == by_email["id"]
    assert (by_email["first_name"], by_email["email"]) == ("John", EMAIL.upper())
    moved = await upsert(door, 200, phone="+447912345679", email=EMAIL)
    assert (moved["id"], moved["phone"]) == (made["id"], "+447912345679")
    assert await door.events() == ["contact.created", *["contact.updated"] * 3]


async def test_b_100_without_phone_and_email_there_is_nobody(door: Door) -> None:
    for body in ({}, {"first_name": "John"}, {"phone": None, "email": None}, {"marketing_consent": "yes"}):
        assert (await refused(door, **body))["code"] == "MISSING_IDENTIFIER"


@pytest.mark.parametrize(
    "phone",
    [
        "07912345678",
        "+44 7912 345678",
        "447912345678",
        "+0447912345678",
        "+1",
        "",
        "+44791234567890123",
        "é+",
        "+999999999999999",
    ],
)
async def test_b_101_and_b_091_a_phone_that_is_not_e164_is_shown_with_what_would_be(door: Door, phone: str) -> None:
    error = await refused(door, phone=phone)
    assert error["code"] == "INVALID_PHONE_FORMAT"
    assert (error["details"]["field"], error["details"]["value"]) == ("phone", phone)
    assert "+447912345678" in error["details"]["suggestion"]


@pytest.mark.parametrize("email", ["", "john", "john@", "@example.com", "a b@example.com", " a@example.com", "a@b"])
async def test_b_102_an_email_that_is_none_is_refused(door: Door, email: str) -> None:
    error = await refused(door, email=email)
    assert (error["code"], error["details"]["field"]) == ("INVALID_EMAIL_FORMAT", "email")
    assert error["details"]["value"] == email
    assert error["details"]["suggestion"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("next_due_at", "tomorrow"),
        ("next_due_at", "2025-02-30"),
        ("next_due_at", 20250315),
        ("last_service_at", "2025-13-01T00:00:00Z"),
        ("last_service_at", "0001-01-01"),
        ("next_due_at", "9999-12-31"),
        ("tags", "vip"),
        ("tags", ["vip", 7]),
        ("tags", ["x" * 101]),
        ("tags", ["t"] * 101),
        ("custom_fields", [1]),
        ("custom_fields", {"n": 2**70}),
        ("custom_fields", {"n": {"deep": [1e30]}}),
        ("custom_fields", {"n": "x" * 64_000}),
        ("marketing_consent", "true"),
        ("first_name", 7),
        ("first_name", "x" * 256),
        ("first_name", "a\nb"),
        ("note", "x" * 10_001),
        ("campaign_ids", "x"),
        ("time_zone", "Mars/Base"),
        ("is_recurrent", "true"),
        ("recurrent_interval_value", 0),
        ("recurrent_interval_value", 1000),
        ("recurrent_interval_value", 1.5),
        ("recurrent_interval_unit", "weeks"),
    ],
)
async def test_b_093_a_bad_value_is_a_validation_error_that_names_its_field(
    visitor: Door, field: str, value: Any
) -> None:
    error = await refused(visitor, phone=PHONE, **{field: value})
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["field"].split(".")[0] == field


async def test_b_093_all_that_is_wrong_is_told_at_once(door: Door) -> None:
    error = await refused(
        door, phone="1", email="x", next_due_at="soon", is_recurrent=True, recurrent_interval_unit="weeks", tags=[7]
    )
    named = {problem["field"] for problem in error["details"]["problems"]}
    assert named == {
        "phone",
        "email",
        "next_due_at",
        "tags.0",
        "recurrent_interval_value",
        "recurrent_interval_unit",
    }
    assert error["code"] in {"INVALID_PHONE_FORMAT", "INVALID_EMAIL_FORMAT"}


async def test_b_107_what_is_left_out_stays_null_clears_tags_replace_and_custom_fields_merge(door: Door) -> None:
    await upsert(
        door,
        phone=PHONE,
        email=EMAIL,
        first_name="John",
        note="Knee",
        next_due_at="2030-01-01",
        tags=["a", "b", "a"],
        custom_fields={"plan": "gold", "age": 41, "home": {"city": "Leeds"}},
    )
    same = await upsert(door, 200, phone=PHONE)
    assert (same["first_name"], same["note"], same["tags"]) == ("John", "Knee", ["a", "b"])
    changed = await upsert(
        door, 200, phone=PHONE, note=None, next_due_at=None, tags=["c"], custom_fields={"age": None, "home": {"n": 1}}
    )
    assert (changed["note"], changed["next_due_at"], changed["tags"]) == (None, None, ["c"])
    assert changed["custom_fields"] == {"plan": "gold", "home": {"n": 1}}
    cleared = await upsert(door, 200, phone=PHONE, email=None, tags=None, custom_fields=None, first_name=None)
    assert (cleared["email"], cleared["tags"], cleared["custom_fields"], cleared["first_name"]) == (None, [], {}, None)


async def test_b_104_and_b_268_every_change_of_consent_is_in_the_ledger(door: Door) -> None:
    assert (await upsert(door, phone=PHONE))["marketing_consent"] is False
    for consent in (True, True, None, ..., True):
        given = {} if consent is ... else {"marketing_consent": consent}
        await upsert(door, 200, phone=PHONE, **given)
    rows = await door.fetch("select category, granted, source, at from consents order by id")
    assert [row["granted"] for row in rows] == [True, False, True]
    assert {(row["category"], row["source"]) for row in rows} == {("marketing", "campaigns")}
    assert all(row["at"] for row in rows)


async def test_b_105_dates_and_times_are_told_as_they_were_written(door: Door) -> None:
    """A time without an offset is one of the contact's zone, else of the account's."""
    for text, instant in (
        ("2026-04-15", "2026-04-15T00:00:00+00:00"),
        ("2026-04-15T10:30:00Z", "2026-04-15T10:30:00+00:00"),
        ("2026-04-15T10:30:00+02:00", "2026-04-15T08:30:00+00:00"),
        ("2026-04-15T10:30", "2026-04-15T09:30:00+00:00"),
    ):
        contact = await upsert(
            door,
            200 if await door.fetch("select id from contacts") else 201,
            phone=PHONE,
            next_due_at=text,
            last_service_at=text,
            time_zone="Europe/London",
        )
        assert contact["next_due_at"] == contact["last_service_at"] == text
        (row,) = await door.fetch("select next_due_at, last_service_at from contacts")
        assert row["next_due_at"].isoformat() == row["last_service_at"].isoformat() == instant


async def test_b_106_a_phone_and_an_email_of_two_people_are_a_conflict(door: Door) -> None:
    await upsert(door, phone=PHONE)
    await upsert(door, email=EMAIL)
    status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE, "email": EMAIL, "first_name": "X"})
    assert (status, answer["error"]["code"]) == (409, "IDENTIFIER_CONFLICT")
    assert await door.events() == ["contact.created"] * 2


async def test_b_099_a_hundred_creations_of_one_contact_make_one_row(door: Door) -> None:
    bodies = [{"phone": PHONE, "email": EMAIL, "first_name": f"John {n}"} for n in range(100)]
    answers = await asyncio.gather(*(door.call("POST", "/v1/contacts", body) for body in bodies))
    assert sorted(status for status, _ in answers) == [200] * 99 + [201]
    assert len({answer["contact_id"] for _, answer in answers}) == 1
    assert len(await door.fetch("select id from contacts")) == 1
    assert (await door.events()).count("contact.created") == 1


async def test_b_106_two_who_take_each_others_identifiers_at_once_end_in_answers(door: Door) -> None:
    """Neither waits for ever, and nobody gets a 500."""
    await upsert(door, phone=PHONE, email="a@example.com")
    await upsert(door, phone="+447912345679", email="b@example.com")
    bodies = [
        {"phone": PHONE, "email": "c@example.com"},
        {"phone": "+447912345679", "email": "c@example.com"},
        {"phone": "+447912345680", "email": "c@example.com"},
    ]
    answers = await asyncio.gather(*(door.call("POST", "/v1/contacts", body) for body in bodies * 5))
    assert {status for status, _ in answers} <= {200, 201, 409}
    assert len(await door.fetch("select id from contacts where email = 'c@example.com'")) == 1


async def test_b_093_hostile_bodies_are_refused_and_never_break_anything(visitor: Door) -> None:
    for body in (
        b'{"phone": "+447912345678", "phone": "+447912345679"}',
        b'{"phone": "+447912345678", "custom_fields": {"a": NaN}}',
        b'{"phone": "+447912345678", "first_name": "\\u0000"}',
        b'{"phone": "+447912345678", "custom_fields": {"\\u0000": 1}}',
        b'{"phone": "+447912345678", "first_name": "\\ud800"}',
        b'{"phone": "+447912345678", "custom_fields": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b"[]",
        b"\xff",
    ):
        response = await visitor.client.post(
            "/v1/contacts", data=body, headers={**visitor.key, "Content-Type": "application/json"}
        )
        answer = await response.json()
        assert (response.status, answer["error"]["code"]) == (400, "VALIDATION_ERROR"), body[:80]
    status, answer = await visitor.call("POST", "/v1/contacts", {"phone": PHONE, "note": "x" * 300_000})
    assert (status, answer["error"]["code"]) == (413, "BODY_TOO_LARGE")


async def test_b_107_numbers_and_depth_of_custom_fields_come_back_as_they_went_in(visitor: Door) -> None:
    deep: Any = "end"
    for _ in range(100):
        deep = [deep]
    fields = {"big": 2**62, "small": -1.5e-7, "sum": 1e15, "deep": deep, "none": {"inner": None}, "ü": "🙂"}
    made = await upsert(visitor, phone=PHONE, custom_fields=fields)
    assert made["custom_fields"] == fields
    status, got = await visitor.call("GET", f"/v1/contacts/{made['id']}")
    assert (status, got["contact"]["custom_fields"]) == (200, fields)


async def test_b_087_another_account_sees_and_changes_nobody(door: Door) -> None:
    made = await upsert(door, phone=PHONE)
    other = (await door.another_account()).api_key
    for method, path in (("GET", made["id"]), ("GET", PHONE), ("DELETE", made["id"])):
        status, answer = await door.call(method, f"/v1/contacts/{path}", key=other)
        assert (status, answer["error"]["code"]) == (404, "CONTACT_NOT_FOUND")
    status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE}, key=other)
    assert (status, answer["contact_id"] == made["id"]) == (201, False)
