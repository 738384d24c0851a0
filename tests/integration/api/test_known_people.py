"""One contact for each person, whichever door adds or changes it, and no door waits for ever (B-099, B-212, B-106)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.api.core.contacts import change_contact, find_contact, hold_contact, subscriber
from services.api.core.policy import Core
from shared.domain.contact import Contact
from shared.domain.refusal import Conflict

if TYPE_CHECKING:
    from conftest import Door

PHONE, EMAIL = "+447912345678", "amy@example.org"


async def subscribe(door: Door, phone: str, email: str | None = None) -> Contact:
    """As the appointments door does."""
    core = Core.from_settings(door.runtime.settings)
    async with asyncio.timeout(5), door.runtime.db.transaction() as tx:
        now = await tx.fetchval("select clock_timestamp()")
        return await subscriber(
            tx,
            core,
            account_id=door.account.account_id,
            phone=phone,
            source="test",
            now=now,
            apply=lambda contact: replace(contact, email=email or contact.email),
        )


async def test_b_106_a_subscriber_with_anothers_email_is_refused_and_not_tried_for_ever(door: Door) -> None:
    await subscribe(door, PHONE, EMAIL)
    with pytest.raises(Conflict) as refused:
        await subscribe(door, "+447912345679", EMAIL.upper())
    assert refused.value.code == "identifier_conflict"
    assert len(await door.fetch("select 1 from contacts")) == 1
    known = await subscribe(door, "+447912345679")
    with pytest.raises(Conflict):
        await subscribe(door, "+447912345679", EMAIL)
    assert (await door.fetch("select email from contacts where id = $1", known.id)) == [{"email": None}]


async def test_b_212_a_hundred_subscriptions_at_once_are_one_contact(door: Door) -> None:
    found = await asyncio.gather(*(subscribe(door, PHONE) for _ in range(100)))
    assert len({contact.id for contact in found}) == 1
    assert await door.events() == ["contact.created"]


async def test_b_106_a_change_to_anothers_phone_is_a_conflict(door: Door) -> None:
    """The database says so after every look before it could have."""
    await subscribe(door, PHONE)
    other = await subscribe(door, "+447912345679")
    core, account_id = Core.from_settings(door.runtime.settings), door.account.account_id

    async def take_it() -> None:
        async with door.runtime.db.transaction() as tx:
            held = await hold_contact(tx, account_id=account_id, id=other.id)
            now = await tx.fetchval("select clock_timestamp()")
            await change_contact(tx, core, held, replace(held, phone=PHONE), source="test", now=now)

    with pytest.raises(Conflict):
        await take_it()
    async with door.runtime.db.connection() as db:
        assert (await find_contact(db, account_id=account_id, id=other.id)).phone == "+447912345679"


async def test_b_099_doors_share_their_contacts(door: Door) -> None:
    subscribed = await subscribe(door, PHONE)
    status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE, "first_name": "Amy"})
    assert (status, answer["contact_id"]) == (200, str(subscribed.id))
