"""The integration door over a real database."""

from __future__ import annotations

from tests.builders import a_reminder
from tests.integration.api.conftest import Door


async def test_b_030_create_answers_201_with_the_item(door: Door) -> None:
    status, item = await door.reminder("POST", "rem-1", a_reminder())
    assert status == 201, item
    assert item["id"] == "rem-1"
    status, item = await door.reminder("GET", "rem-1")
    assert status == 200, item
    status, item = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert (status, item["cancelOutcome"]) == (200, "prevented"), item
    status, item = await door.reminder("DELETE", "rem-1")
    assert (status, item) == (204, None)
    assert await door.events() == ["reminder.created", "reminder.cancelled", "reminder.deleted"]
