"""What is wrong at the CRM door: told in its shape, all at once, and nothing is written (B-199)."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from integration.api.conftest import Door
from integration.api.crm_tools import CALL, a_contact, a_reminder, error_of, give_owner, messages_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def crm(visitor: Door) -> Door:
    await give_owner(visitor)
    return visitor


async def none_written(door: Door) -> bool:
    return not await door.fetch("select id from reminders where account_id = $1", door.account.account_id)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ...}, "title"),  # B-193
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": " \n\t"}, "title"),
        ({"title": 7}, "title"),
        ({"title": "x" * 100_001}, "title"),
        ({"title": "a\u0000b"}, "title"),
        ({"description": "x" * 1_000_001}, "description"),  # B-194
        ({"description": ["x"]}, "description"),
        ({"next_expected_date": ...}, "next_expected_date"),  # B-195
        ({"next_expected_date": "09/09/2030"}, "next_expected_date"),
        ({"next_expected_date": "2030-9-9"}, "next_expected_date"),
        ({"next_expected_date": "2030-02-30"}, "next_expected_date"),
        ({"next_expected_date": "2030-09-09T00:00:00Z"}, "next_expected_date"),
        ({"next_expected_date": 20300909}, "next_expected_date"),
        ({"frequency_type": ...}, "frequency_type"),  # B-197
        ({"frequency_type": "hour"}, "frequency_type"),
        ({"frequency_type": "Day"}, "frequency_type"),
        ({"frequency_number": 0}, "frequency_number"),  # B-171
        ({"frequency_number": -1}, "frequency_number"),
        ({"frequency_number": 1.5}, "frequency_number"),
        ({"frequency_number": "3"}, "frequency_number"),
        ({"frequency_number": 10**30}, "frequency_number"),
        ({"contact_id": ...}, "contact_id"),  # B-198
        ({"contact_id": "1"}, "contact_id"),
        ({"contact_id": True}, "contact_id"),
        ({"contact_id": 0}, "contact_id"),
        ({"contact_id": 2**63}, "contact_id"),
    ],
)
async def test_b_199_a_field_that_is_wrong_is_named_and_nothing_is_written(
    crm: Door, wrong: dict[str, Any], field: str
) -> None:
    given = {**CALL, "contact_id": await a_contact(crm), **wrong}
    answer = await crm.call("POST", "/api/reminder", {name: value for name, value in given.items() if value is not ...})
    assert error_of(answer) == (422, 32)
    (message,) = messages_of(answer)
    assert message.startswith(f"The {field} field ")
    assert await none_written(crm)


async def test_b_199_every_problem_is_told_at_once(crm: Door) -> None:
    answer = await crm.call("POST", "/api/reminder", {"title": "", "frequency_type": "hour", "frequency_number": 0})
    assert error_of(answer) == (422, 32)
    fields = [message.split()[1] for message in messages_of(answer)]
    assert fields == ["title", "next_expected_date", "frequency_type", "frequency_number", "contact_id"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"next_expected_date": "x"}, "The next_expected_date field is not a date, such as 2025-05-29."),
        ({"next_expected_date": "2030-02-30"}, "The next_expected_date field is no such date."),
        (
            {"next_expected_date": "2020-01-31", "frequency_type": "year", "frequency_number": 9_999},
            "The next_expected_date field does not recur by the year 9999.",
        ),
        ({"title": None}, "The title field must be a text."),
    ],
)
async def test_b_199_each_problem_is_a_sentence(crm: Door, changes: dict[str, Any], sentence: str) -> None:
    answer = await crm.call("POST", "/api/reminder", {**CALL, "contact_id": await a_contact(crm), **changes})
    assert messages_of(answer) == [sentence]


async def test_b_199_a_problem_of_the_whole_body_is_a_sentence_too(crm: Door) -> None:
    assert messages_of(await crm.call("POST", "/api/reminder", [])) == ["Must be a JSON object."]


async def test_b_198_an_unknown_contact_is_not_found(crm: Door) -> None:
    answer = await crm.call("POST", "/api/reminder", {**CALL, "contact_id": 2**63 - 1})
    assert error_of(answer) == (404, 31)
    assert await none_written(crm)


async def test_b_196_a_single_date_that_is_over_has_a_number_of_its_own(crm: Door) -> None:
    body = {**CALL, "contact_id": await a_contact(crm), "frequency_type": "one_time"}
    answer = await crm.call("POST", "/api/reminder", body)
    assert error_of(answer) == (422, 38)
    assert await none_written(crm)


async def test_b_194_the_longest_texts_are_taken_and_come_back_whole(crm: Door) -> None:
    """B-193: each character may take twelve bytes of JSON."""
    title, description = "\U0001f514\n" * 50_000, "\U0001f514" * 1_000_000
    body = {**CALL, "contact_id": await a_contact(crm), "title": title, "description": description}
    answer = await crm.call("POST", "/api/reminder", headers=JSON, data=BytesIO(json.dumps(body).encode()))
    made = answer[1]["data"]
    assert (made["title"], made["description"]) == (title, description)
    _, read = await crm.call("GET", f"/api/reminders/{made['id']}")
    assert read["data"] == made
    _, listed = await crm.call("GET", "/api/reminders")
    assert listed["data"] == [made]


async def test_b_269_a_body_that_is_too_large_is_refused_in_the_same_shape(crm: Door) -> None:
    answer = await crm.call("POST", "/api/reminder", headers=JSON, data=BytesIO(b" " * 14_000_001))
    assert error_of(answer) == (413, 413)
    answer = await crm.call("POST", "/api/contacts", headers=JSON, data=BytesIO(b" " * 256_001))
    assert error_of(answer) == (413, 413)


@pytest.mark.parametrize("body", [b"", b"{", b"[1, 2", b'{"title": "\xff"}', b'{"title": "\\ud800"}'])
async def test_b_199_what_is_no_json_is_told_apart(crm: Door, body: bytes) -> None:
    answer = await crm.call("POST", "/api/reminder", headers=JSON, data=body)
    status, code = error_of(answer)
    assert (status, code) in {(400, 37), (422, 32)}
    assert isinstance(messages_of(answer)[0], str)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b'{"title": "a", "title": "b"}', b'{"title": NaN}'])
async def test_b_199_json_that_is_no_reminder_is_refused(crm: Door, body: bytes) -> None:
    answer = await crm.call("POST", "/api/reminder", headers=JSON, data=body)
    assert error_of(answer)[0] in {400, 422}
    assert await none_written(crm)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk_live_wrong"}, {"x-api-key": "sk_live_wrong"}])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/reminders"), ("POST", "/api/reminder"), ("GET", "/api/contacts/1")]
)
async def test_b_205_without_a_key_there_is_nothing(crm: Door, headers: dict[str, str], method: str, path: str) -> None:
    response = await crm.client.request(method, path, headers=headers)
    assert error_of((response.status, await response.json())) == (401, 42)


async def test_b_205_the_accounts_key_is_taken_in_either_header(crm: Door) -> None:
    key = crm.account.api_key
    for headers in ({"Authorization": f"Bearer {key}"}, {"x-api-key": key}):
        assert (await crm.client.request("GET", "/api/reminders", headers=headers)).status == 200


@pytest.mark.parametrize("id", ["999999", "0", "-1", "1.5", "abc", "%F0%9F%94%94", "9" * 100, "٣"])
async def test_b_191_a_number_that_no_reminder_has_is_not_found(crm: Door, id: str) -> None:
    body = {**CALL, "contact_id": await a_contact(crm)}
    for method, sent in (("GET", None), ("PUT", body), ("DELETE", None)):
        assert error_of(await crm.call(method, f"/api/reminders/{id}", sent)) == (404, 31)


async def test_b_254_near_collisions_go_to_the_door_that_they_belong_to(crm: Door) -> None:
    """Beside `/api/reminder/…` of the integration and items doors."""
    assert (await crm.call("GET", "/api/reminder/item/list"))[0] == 200
    assert error_of(await crm.call("GET", "/api/reminderz")) == (404, 31)
    assert error_of(await crm.call("GET", "/api/contacts/1/reminders/2")) == (404, 31)
    assert error_of(await crm.call("GET", "/api/reminder")) == (405, 405)
    assert error_of(await crm.call("PATCH", "/api/reminders/1")) == (405, 405)
    status, _ = await crm.call("GET", "/api/reminder/a/b/c")
    assert status in {401, 404}


async def test_what_is_mistyped_where_something_is_removed_is_refused(crm: Door) -> None:
    made = await a_reminder(crm, await a_contact(crm))
    assert error_of(await crm.call("DELETE", f"/api/reminders/{made['id']}?dry_run=1")) == (422, 32)
    assert (await crm.call("GET", f"/api/reminders/{made['id']}"))[0] == 200
