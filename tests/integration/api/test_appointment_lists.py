"""The appointments door: what is found, listed and refused."""

from __future__ import annotations

import json

import pytest

from tests.integration.api.appointment_tools import Practice, code, open_practice
from tests.integration.api.conftest import Door


@pytest.fixture
async def practice(door: Door) -> Practice:
    return await open_practice(door)


async def test_lists_are_by_external_id_or_phone_in_pages_b_251(practice: Practice) -> None:
    first = await practice.booked()
    second = await practice.booked(externalEventId="7", phone="+44 20 7946 0000")
    for query, found in {
        "": [second, first],
        "?externalEventId=12345": [first],
        "?phone=6175550100": [first],
        "?phone=+44 20 7946 0000": [second],
        "?phone=%2B442079460000": [second],
        "?externalEventId=7&phone=6175550100": [],
        "?limit=1": [second],
        "?limit=1&offset=1": [first],
    }.items():
        status, answer = await practice.door.call("GET", f"/events/reminders{query}")
        assert (status, [one["uuid"] for one in answer["reminders"]]) == (200, found), query
    assert answer["total"] == 2
    for query in ("?limit=0", "?limit=201", "?offset=x", "?phone=x"):
        assert (await practice.door.call("GET", f"/events/reminders{query}"))[0] == 400


@pytest.mark.parametrize("uuid", ["db04f6ff-42e4-4bba-a9d3-YYYYYYYYYYYY", "01a1fe90-8df3-7321-a7b3-041071b770a8", "x"])
async def test_an_unknown_uuid_is_not_found_b_248(visitor: Door, uuid: str) -> None:
    for method, tail in (("PUT", ""), ("GET", ""), ("POST", "/cancel"), ("POST", "/no-show")):
        answer = await visitor.call(method, f"/events/reminders/{uuid}{tail}", {} if method == "PUT" else None)
        assert code(answer) == (404, "REMINDER_NOT_FOUND")


async def test_another_accounts_appointment_is_as_unknown_as_any_b_248(practice: Practice) -> None:
    uuid = await practice.booked()
    other = await practice.door.another_account()
    answer = await practice.door.call("POST", f"/events/reminders/{uuid}/cancel", key=other.api_key)
    assert code(answer) == (404, "REMINDER_NOT_FOUND")


async def test_other_paths_and_methods_are_refused_in_the_same_shape_b_247(visitor: Door) -> None:
    """B-250: the path of the document's sample that repeats its host is no path of ours."""
    doubled = "/https://tactical.example/events/reminders/x/no-show"
    assert (await visitor.call("POST", doubled))[0] == 404
    assert code(await visitor.call("POST", "/events/nothing"))[0] == 404
    assert code(await visitor.call("DELETE", "/events/reminders")) == (405, "METHOD_NOT_ALLOWED")


async def test_an_idempotency_key_is_kept_at_this_door_too(practice: Practice) -> None:
    """Decision 4: another body under the same key is a conflict, at every door."""
    body, headers = practice.body(externalEventId=...), {"Idempotency-Key": "k"}
    answers = [await practice.door.call("POST", "/events/reminders", body, headers=headers) for _ in range(2)]
    assert answers[0] == answers[1]
    other = json.loads(json.dumps(body)) | {"firstName": "Other"}
    answer = await practice.door.call("POST", "/events/reminders", other, headers=headers)
    assert code(answer) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_an_empty_optional_text_is_taken_as_left_out(practice: Practice) -> None:
    """B-216, B-212: many a form sends what was left out so; two of them are no duplicates."""
    empty = {"externalEventId": "", "firstName": "", "lastName": "", "emailAddress": ""}
    one, other = await practice.booked(**empty), await practice.booked(**empty)
    assert one != other
