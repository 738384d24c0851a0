"""Contacts under fire: bodies of any kind, and every verb on one person at once; answers, and never a 500."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Door

PHONE, EMAIL = "+447912345678", "amy@example.org"

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 999, 2**31, 2**53, 2**63, 2**64, 10**300, 0.5, -0.0, 1e308, "", " ", "null", "é" * 300,
    "\u202e", "🙂", "%", "'", "\\", "2026-03-15", "2026-02-29", "9899-12-31", "1900-01-01", "2026-03-15T00:00Z",
    "9899-12-31T23:59:59-18:00", "1900-01-01T00:00:00+18:00", "2026-03-29T01:30", "days", "months", "years", PHONE,
    EMAIL, "+999999999999999", [], [[]], ["a"], [None], ["a", "a"], {}, {"a": 1}, {"": {}}, {"a": [1e22, 2**70]},
    [{}] * 101, "Europe/London", "localtime", "018f2e6a-0000-7000-8000-000000000000",
    ["018f2e6a-0000-7000-8000-000000000000"],
)  # fmt: skip

FIELDS = (
    "phone", "email", "first_name", "last_name", "marketing_consent", "next_due_at", "last_service_at", "note", "tags",
    "custom_fields", "campaign_ids", "is_recurrent", "recurrent_interval_value", "recurrent_interval_unit", "time_zone",
    "unknown",
)  # fmt: skip


async def test_b_093_whatever_a_body_holds_the_answer_is_one_of_the_documents(visitor: Door) -> None:
    """B-094: no bug is found; what was accepted can be read and listed."""
    chance = random.Random(93)
    taken = 0
    for _ in range(500):
        body = {name: chance.choice(ODD) for name in chance.sample(FIELDS, chance.randint(1, 3))}
        if chance.random() < 0.6:
            body["phone"] = PHONE
        status, answer = await visitor.call("POST", "/v1/contacts", body)
        assert status in {200, 201, 400, 404, 409}, (body, answer)
        assert answer["success"] is (status < 300)
        taken += status < 300
        if status < 300:
            read = await visitor.call("GET", f"/v1/contacts/{answer['contact_id']}")
            assert read == (200, {"success": True, "contact": answer["contact"]})
    assert taken > 20
    status, answer = await visitor.call("GET", "/v1/contacts?limit=100")
    assert status == 200


async def test_b_099_and_b_129_every_verb_on_one_person_at_once_leaves_at_most_one(door: Door) -> None:
    body = {"name": "Sale", "type": "one_off", "status": "running", "body": "Hello"}
    _, made = await door.call("POST", "/v1/campaigns", body)
    enrolling = {"phone": PHONE, "marketing_consent": True, "campaign_ids": [made["campaign"]["id"]]}

    async def act(n: int) -> int:
        match n % 5:
            case 0 | 1:
                return (await door.call("POST", "/v1/contacts", enrolling))[0]
            case 2:
                return (await door.call("POST", "/v1/contacts", {"phone": PHONE, "email": EMAIL}))[0]
            case 3:
                return (await door.call("POST", "/v1/contacts", {"email": EMAIL, "note": str(n)}))[0]
            case _:
                status, found = await door.call("GET", f"/v1/contacts/{PHONE}")
                if status == 404:
                    return status
                return (await door.call("DELETE", f"/v1/contacts/{found['contact']['id']}"))[0]

    statuses = await asyncio.gather(*(act(n) for n in range(100)))
    assert set(statuses) <= {200, 201, 404, 409}
    assert len(await door.fetch("select 1 from contacts where phone = $1", PHONE)) <= 1
    assert len(await door.fetch("select 1 from contacts where email = $1", EMAIL)) <= 1
    live = await door.fetch("select contact_id from reminders where status = 'active'")
    kept = await door.fetch("select id from contacts")
    assert {row["contact_id"] for row in live} <= {row["id"] for row in kept}
    await door.events()
