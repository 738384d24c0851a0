"""Finding contacts: lists with filters, search and order, and one by id, phone or e-mail (document 002)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from yarl import URL

if TYPE_CHECKING:
    from conftest import Door

PEOPLE: tuple[dict[str, Any], ...] = (
    {"phone": "+447912345678", "first_name": "John", "last_name": "Smith", "marketing_consent": True},
    {"email": "Zoë@example.com", "first_name": "Zoë", "next_due_at": "2030-03-15"},
    {
        "phone": "+14155550123",
        "email": "amy@example.org",
        "first_name": "amy",
        "next_due_at": "2030-05-01T10:00:00Z",
        "is_recurrent": True,
        "recurrent_interval_value": 1,
        "recurrent_interval_unit": "years",
    },
    {"phone": "+6281234567890", "last_name": "100%_sure"},
)


async def fill(door: Door) -> list[str]:
    """The people's ids, oldest first."""
    ids = []
    for person in PEOPLE:
        status, answer = await door.call("POST", "/v1/contacts", person)
        assert status == 201, answer
        ids.append(answer["contact_id"])
    return ids


async def found(door: Door, query: str) -> list[int]:
    """Which of the people, by their place in `PEOPLE`, in the order of the answer."""
    status, answer = await door.call("GET", URL(f"/v1/contacts?{query}", encoded=True))  # type: ignore[arg-type]
    assert status == 200, answer
    by = {(p.get("phone"), p.get("email")): n for n, p in enumerate(PEOPLE)}
    return [by[one["phone"], one["email"]] for one in answer["contacts"]]


async def test_b_125_a_list_says_how_many_there_are_and_which_part_it_is(door: Door) -> None:
    """B-119, B-124: the newest first, 50 of them."""
    ids = await fill(door)
    status, answer = await door.call("GET", "/v1/contacts")
    assert (status, set(answer)) == (200, {"success", "contacts", "total", "limit", "offset"})
    assert (answer["success"], answer["total"], answer["limit"], answer["offset"]) == (True, 4, 50, 0)
    assert [one["id"] for one in answer["contacts"]] == ids[::-1]
    _, part = await door.call("GET", "/v1/contacts?limit=2&offset=1")
    assert (part["contacts"], part["total"]) == (answer["contacts"][1:3], 4)


@pytest.mark.parametrize(("limit", "used"), [("1", 1), ("100", 100), ("101", 100), ("99999999999", 100)])
async def test_b_120_a_limit_above_the_most_is_the_most(visitor: Door, limit: str, used: int) -> None:
    status, answer = await visitor.call("GET", f"/v1/contacts?limit={limit}")
    assert (status, answer["limit"]) == (200, used)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=1.5",
        "offset=-1",
        "offset=x",
        "offset=9999999999999999999",
        "has_phone=yes",
        "marketing_consent=1",
        "is_recurrent=TRUE",
        "next_due_before=soon",
        "created_after=2025-02-30",
        "sort_by=phone",
        "sort_order=up",
        "limit=1&limit=2",
    ],
)
async def test_b_120_and_b_124_what_a_parameter_cannot_be_is_refused(visitor: Door, query: str) -> None:
    status, answer = await visitor.call("GET", f"/v1/contacts?{query}")
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert answer["error"]["details"]["field"] == query.partition("=")[0]


async def test_b_121_a_search_finds_parts_of_name_phone_and_email_in_any_case(door: Door) -> None:
    """Wildcards of the database are letters like any; zeros before a national number are no digits of it."""
    await fill(door)
    for search, expected in {
        "john": [0],
        "N SMI": [0],
        "ZOË": [1],
        "EXAMPLE.ORG": [2],
        "79123": [0],
        "07912 345": [0],
        "(415) 555-0123": [2],
        "+4479": [0],
        "%_": [3],
        "%": [3],
        "nobody": [],
        "": [3, 2, 1, 0],
    }.items():
        assert await found(door, f"search={quote(search)}") == expected, search


async def test_b_122_and_b_123_filters_are_joined_and_bounds_are_strict(door: Door) -> None:
    await fill(door)
    for query, expected in {
        "has_phone=true": [3, 2, 0],
        "has_phone=false": [1],
        "marketing_consent=true": [0],
        "marketing_consent=false&has_phone=true": [3, 2],
        "is_recurrent=true": [2],
        "is_recurrent=false": [3, 1, 0],
        "next_due_after=2030-03-15": [2],
        "next_due_after=2030-03-14": [2, 1],
        "next_due_before=2030-05-01T10:00:00Z": [1],
        "next_due_before=2030-05-01T12:00:01+02:00": [2, 1],
        "next_due_before=2030-05-01T12:00:01%2B02:00": [2, 1],
        "next_due_before=2030-03-15": [],
        "created_after=2020-01-01": [3, 2, 1, 0],
        "created_after=2099-01-01": [],
    }.items():
        assert await found(door, query) == expected, query


async def test_b_124_what_has_no_value_to_sort_by_comes_last_in_both_orders(door: Door) -> None:
    await fill(door)
    for query, expected in {
        "sort_by=first_name&sort_order=asc": [2, 0, 1, 3],
        "sort_by=first_name": [1, 0, 2, 3],
        "sort_by=created_at&sort_order=asc": [0, 1, 2, 3],
        "sort_by=updated_at": [3, 2, 1, 0],
    }.items():
        assert await found(door, query) == expected, query
    for order, expected in (("asc", [1, 2]), ("desc", [2, 1])):
        assert (await found(door, f"sort_by=next_due_at&sort_order={order}"))[:2] == expected


async def test_b_126_and_b_127_one_contact_by_id_phone_or_email(door: Door) -> None:
    """B-128: a raw `+` is a space once it is read; it works all the same, and so does none."""
    id = (await fill(door))[2]
    _, by_id = await door.call("GET", f"/v1/contacts/{id}")
    assert set(by_id) == {"success", "contact"}
    assert (by_id["success"], by_id["contact"]["id"]) == (True, id)
    for path in (
        "/v1/contacts/+14155550123",
        "/v1/contacts/%2B14155550123",
        "/v1/contacts/14155550123",
        "/v1/contacts/AMY@example.org",
        "/v1/contacts?phone=+14155550123",
        "/v1/contacts?phone=%2B14155550123",
        "/v1/contacts?phone=14155550123",
        "/v1/contacts?email=Amy@Example.org",
    ):
        response = await door.client.get(URL(path, encoded=True), headers=door.key)
        assert (response.status, await response.json()) == (200, by_id), path


async def test_b_126_who_is_not_there_is_not_found(visitor: Door) -> None:
    for path in (
        "/v1/contacts/018f2e6a-0000-7000-8000-000000000000",
        "/v1/contacts/+447912345670",
        "/v1/contacts/nobody@example.com",
        "/v1/contacts/nothing",
        "/v1/contacts?phone=+447912345670",
        "/v1/contacts?email=nobody@example.com",
    ):
        response = await visitor.client.get(URL(path, encoded=True), headers=visitor.key)
        answer = await response.json()
        assert (response.status, answer["error"]["code"]) == (404, "CONTACT_NOT_FOUND"), path


async def test_b_127_an_identifier_among_other_filters_is_one_of_them(door: Door) -> None:
    await fill(door)
    assert await found(door, "phone=+14155550123&has_phone=true") == [2]
    assert await found(door, "phone=+14155550123&email=amy@example.org") == [2]
    assert await found(door, "phone=+14155550123&has_phone=false") == []


@pytest.mark.parametrize(
    ("query", "code"), [("phone=0791", "INVALID_PHONE_FORMAT"), ("phone=", "INVALID_PHONE_FORMAT")]
)
async def test_b_127_what_is_no_identifier_is_refused(visitor: Door, query: str, code: str) -> None:
    status, answer = await visitor.call("GET", f"/v1/contacts?{query}")
    assert (status, answer["error"]["code"]) == (400, code)
    status, answer = await visitor.call("GET", "/v1/contacts?email=x")
    assert (status, answer["error"]["code"]) == (400, "INVALID_EMAIL_FORMAT")
