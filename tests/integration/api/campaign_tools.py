"""Campaigns and contacts for tests, made through the API where the test is not about making them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from integration.api.conftest import Door

from services.api.core.contacts import add_contact, change_contact, find_contact, new_contact
from services.api.core.policy import Core
from shared.domain.contact import Contact, Due
from shared.domain.wall_clock import instant
from shared.domain.zones import zone

PHONE = "+447912345678"


def a_campaign(**changes: Any) -> dict[str, Any]:
    body = {
        "name": "Appointment Reminder",
        "type": "recurring",
        "body": "Hi {first_name}, see you on {next_due_at}.",
        "offsets": ["P7D", "P1D"],
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def a_one_off(**changes: Any) -> dict[str, Any]:
    return a_campaign(**{"type": "one_off", "offsets": ..., "body": "Hi {first_name}", **changes})


def due(text: str) -> Due:
    return Due(text, instant(text if "T" in text else f"{text}T00:00:00Z", zone("UTC")))


async def campaign(door: Door, body: dict[str, Any] | None = None) -> str:
    """The id of a new campaign that runs."""
    status, answer = await door.call("POST", "/v1/campaigns", body or a_campaign())
    assert status == 201, answer
    id: str = answer["campaign"]["id"]
    return id


async def contact(door: Door, **given: Any) -> Contact:
    """A new contact of the door's account."""
    fields = {"phone": PHONE, "first_name": "John", "marketing_consent": True, **given}
    async with door.runtime.db.transaction() as tx:
        now = await tx.fetchval("select clock_timestamp()")
        made = new_contact(door.account.account_id, now=now, **fields)
        added = await add_contact(tx, made, source="test", now=now)
    assert added is not None
    return added


async def change(door: Door, id: UUID, **changes: Any) -> None:
    """Change a contact as any door does."""
    async with door.runtime.db.transaction() as tx:
        now = await tx.fetchval("select clock_timestamp()")
        held = await find_contact(tx, account_id=door.account.account_id, id=id)
        core = Core.from_settings(door.runtime.settings)
        await change_contact(tx, core, held, replace(held, **changes), source="test", now=now)


async def enroll(door: Door, campaign_id: str, contact_id: UUID | str) -> dict[str, Any]:
    status, answer = await door.call(
        "POST", "/v1/campaigns-enroll", {"campaign_id": campaign_id, "contact_id": str(contact_id)}
    )
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


async def stale(door: Door) -> int:
    """How many enrolments have planned sends that do not fit their campaign."""
    rows = await door.fetch(
        "select from enrollments e join campaigns g on g.id = e.campaign_id where e.stale or e.plan < g.plan"
    )
    return len(rows)


async def planned(door: Door) -> list[tuple[str, str, str | None]]:
    """Time, state and text of every planned send, in their order."""
    rows = await door.fetch(
        """select o.scheduled_for, o.state, o.text from occurrences o join reminders r on r.id = o.reminder_id
           order by r.created_at, o.seq"""
    )
    return [(f"{row['scheduled_for']:%Y-%m-%dT%H:%M}", row["state"], row["text"]) for row in rows]
