"""A person's whole reminder life, over all doors, by one call."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from integration.api.conftest import Door
from integration.api.explain_tools import NUMBER, lives, remind


async def life_of_a_person(door: Door) -> UUID:
    """A contact with a reminder at each of four doors, one of them to its mailbox, and one of somebody else."""
    contact, account = uuid4(), door.account.account_id
    await door.execute(
        """insert into contacts (id, account_id, phone, email, created_at, updated_at)
           values ($1, $2, $3, 'Ani@example.com', now(), now())""",
        contact,
        account,
        NUMBER,
    )
    await remind(door, "by-number")
    await remind(door, "by-mail")
    await remind(door, "by-contact", phoneNumber="81234567891")
    await remind(door, "somebody-else", phoneNumber="81234567892")
    await door.execute(
        """update reminders set channel = 'email', address = 'ani@EXAMPLE.com', door = 'crm'
           where external_id = 'by-mail'"""
    )
    await door.execute(
        "update reminders set contact_id = $1, door = 'appointments' where external_id = 'by-contact'", contact
    )
    return contact


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("contact_id={contact}", {"by-number", "by-mail", "by-contact"}),
        ("phone=%2B6281234567890", {"by-number", "by-contact"}),
        ("phone=+6281234567890", {"by-number", "by-contact"}),
        ("email=ANI@example.com", {"by-mail", "by-contact"}),
        ("contact_id={contact}&door=crm", {"by-mail"}),
        ("external_id=by-contact", {"by-contact"}),
        ("external_id=by-number&door=integration", {"by-number"}),
        ("external_id=by-number&door=crm", set()),
        ("phone=%2B6281234567890&status=cancelled", set()),
        ("number={number}", {"somebody-else"}),
        ("status=active", {"by-number", "by-mail", "by-contact", "somebody-else"}),
    ],
)
async def test_b_267_a_persons_whole_reminder_life_over_all_doors_by_one_call(
    door: Door, query: str, found: set[str]
) -> None:
    contact = await life_of_a_person(door)
    (newest,) = await door.fetch("select number from reminders where external_id = 'somebody-else'")
    answer = await lives(door, query.format(contact=contact, number=newest["number"]))
    assert {one["external_id"] for one in answer["reminders"]} == found
    assert answer["total"] == len(found)
    for one in answer["reminders"]:
        assert one["verdict"]["code"] == "will_be_sent"
        assert [occurrence["state"] for occurrence in one["occurrences"]] == ["scheduled"]


async def test_b_093_a_query_that_is_wrong_names_every_problem(door: Door) -> None:
    status, answer = await door.call("GET", "/v1/reminders?limit=0&door=back&contact_id=7&number=x")
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert {p["field"] for p in answer["error"]["details"]["problems"]} == {"limit", "door", "contact_id", "number"}
    for query in ("phone=12", "phone=%2B6281234567890&email=a@example.com", "limit=100&occurrences_limit=100"):
        status, answer = await door.call("GET", f"/v1/reminders?{query}")
        assert status == 400, query


async def test_pages_of_lives_are_bounded_and_do_not_overlap(door: Door) -> None:
    """B-120: a limit above the most is the most."""
    for number in range(5):
        await remind(door, f"r-{number}")
    first = await lives(door, "limit=2")
    second = await lives(door, "limit=2&offset=2")
    assert first["total"] == second["total"] == 5
    ids = [one["external_id"] for one in (*first["reminders"], *second["reminders"])]
    assert ids == ["r-4", "r-3", "r-2", "r-1"]
    assert (await lives(door, "limit=5000"))["limit"] == 100


async def test_b_087_the_accounts_key_proves_the_caller_both_ways(door: Door) -> None:
    id = await remind(door)
    for headers in ({"x-api-key": door.account.api_key}, {"Authorization": f"Bearer {door.account.api_key}"}):
        response = await door.client.get(f"/v1/reminders/{id}/explain", headers=headers)
        assert response.status == 200
    assert (await door.client.get(f"/v1/reminders/{id}/explain")).status == 401
