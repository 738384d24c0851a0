"""What the tests of the CRM door have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integration.api.conftest import Answer, Door

JEAN: Mapping[str, Any] = {
    "first_name": "Jean",
    "last_name": "Valjean",
    "gender": "male",
    "birthdate": "1983-10-23",
    "is_birthdate_approximate": "unknown",
}
CALL: Mapping[str, Any] = {
    "title": "Call to hear how he is",
    "description": "Ask about the wedding",
    "next_expected_date": "2018-09-09",
    "frequency_type": "day",
    "frequency_number": 3,
}

NOON = 12


async def give_owner(door: Door) -> None:
    """An owner to write to."""
    await door.execute("update accounts set owner_email = 'owner@example.com' where id = $1", door.account.account_id)


async def make_it_noon(door: Door, *, reminder_hour: int) -> datetime:
    """Put the account where it is between noon and one; its local time."""
    now = datetime.now(UTC)
    ahead = NOON - now.hour
    await door.execute(
        "update accounts set time_zone = $2, reminder_hour = $3 where id = $1",
        door.account.account_id,
        f"Etc/GMT{-ahead:+d}",
        reminder_hour,
    )
    return now + timedelta(hours=ahead)


async def a_contact(door: Door, **changes: Any) -> int:
    """The number of a new contact."""
    status, body = await door.call("POST", "/api/contacts", {**JEAN, **changes})
    assert status == 201, body
    number: int = body["data"]["id"]
    return number


async def a_reminder(door: Door, contact: int, **changes: Any) -> dict[str, Any]:
    """A new reminder."""
    given = {**CALL, "contact_id": contact, **changes}
    body = {name: value for name, value in given.items() if value is not ...}
    status, answer = await door.call("POST", "/api/reminder", body)
    assert status == 201, answer
    reminder: dict[str, Any] = answer["data"]
    return reminder


async def reminders_of(door: Door, contact: int) -> list[dict[str, Any]]:
    """All of a contact's, the birthday's included."""
    status, body = await door.call("GET", f"/api/contacts/{contact}/reminders?limit=100")
    assert status == 200, body
    found: list[dict[str, Any]] = body["data"]
    return found


def error_of(answer: Answer) -> tuple[int, int]:
    """Status and `error_code`; fails where the envelope is another."""
    status, body = answer
    assert set(body) == {"error"}, body
    assert {"message", "error_code"} <= set(body["error"])
    return status, body["error"]["error_code"]


def messages_of(answer: Answer) -> list[str]:
    """Its list of messages."""
    found: list[str] = answer[1]["error"]["message"]
    assert isinstance(found, list)
    return found
