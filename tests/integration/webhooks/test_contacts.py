"""What webhooks tell of contacts: everything that the document shows, as it is now (document 002)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from integration.webhooks.conftest import START, Webhooks

from services.api.core.contacts import add_contact, new_contact
from shared.domain.contact import Contact, Due
from shared.domain.events import ContactCreated, ContactDeleted, ContactUpdated


async def a_contact(webhooks: Webhooks, **fields: Any) -> Contact:
    fresh = new_contact(webhooks.account, now=START, **fields)
    async with webhooks.runtime.db.transaction() as tx:
        added = await add_contact(tx, fresh, source="test", now=START)
    assert added is not None
    return added


async def body(webhooks: Webhooks) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((await webhooks.delivery())["body"])
    return found


async def test_b_157_a_contact_is_told_whole_and_its_due_date_in_full(webhooks: Webhooks) -> None:
    """B-105, B-155, B-157."""
    await webhooks.endpoint("ok", "contact.created")
    contact = await a_contact(
        webhooks,
        phone="+447912345678",
        first_name="John",
        last_name="Smith",
        marketing_consent=True,
        next_due=Due("2026-04-15", datetime(2026, 4, 15, tzinfo=UTC)),
    )
    await webhooks.happen(ContactCreated(contact.id))
    told = await body(webhooks)
    assert (told["type"], told["api_version"]) == ("contact.created", "2026-03-25")
    assert told["data"] == {
        "id": str(contact.id),
        "first_name": "John",
        "last_name": "Smith",
        "phone_e164": "+447912345678",
        "email": None,
        "marketing_consent": True,
        "next_due_at": "2026-04-15T00:00:00Z",
        "tags": [],
        "created_at": "2026-03-25T10:30:00Z",
        "updated_at": "2026-03-25T10:30:00Z",
    }


async def test_b_129_of_a_contact_that_is_gone_its_id_and_the_time_are_told(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "contact.deleted")
    gone = uuid4()
    await webhooks.happen(ContactDeleted(gone, deleted_at=START + timedelta(hours=1)))
    assert (await body(webhooks))["data"] == {"id": str(gone), "deleted_at": "2026-03-25T11:30:00Z"}


async def test_b_155_an_event_of_a_contact_that_is_gone_by_now_keeps_its_shape(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "contact.updated")
    await webhooks.happen(ContactUpdated(gone := uuid4()))
    data = (await body(webhooks))["data"]
    assert "missed_due_dates" not in data
    assert (UUID(data.pop("id")), data.pop("tags")) == (gone, [])
    assert "phone_e164" in data
    assert set(data.values()) == {None}


async def test_b_114_dates_that_were_passed_over_are_listed(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "contact.updated")
    contact = await a_contact(webhooks, phone="+447912345678")
    await webhooks.happen(ContactUpdated(contact.id, missed_due_dates=(date(2026, 1, 31), date(2026, 2, 28))))
    assert (await body(webhooks))["data"]["missed_due_dates"] == ["2026-01-31", "2026-02-28"]


async def test_b_271_a_message_names_the_contact_that_it_is_for(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "message.sent")
    contact = await a_contact(webhooks, phone="+447912345678")
    await webhooks.execute("update reminders set contact_id = $1", contact.id)
    await webhooks.happen()
    assert (await body(webhooks))["data"]["contact_id"] == str(contact.id)
