"""The integration door over a real database: one item's life, from create to delete."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import a_reminder, in_future
from tests.integration.api.conftest import Door

DOCUMENTED_CREATE: dict[str, Any] = {
    "countryCode": "+62",
    "phoneNumber": "81234567890",
    "recipientName": "Ani Wijaya",
    "notificationTemplateName": "loan_payment_reminder",
    "templateParameters": ["Rp 1.500.000", "31 Mei 2025"],
    "sendTimes": ["2025-05-29T08:00:00+07:00", "2025-05-31T08:00:00+07:00"],
    "timezone": "Asia/Jakarta",
}
"""Seed 000, the example of a create; its times are long past."""

DOCUMENTED_FIELDS = [
    "id",
    "countryCode",
    "phoneNumber",
    "recipientName",
    "notificationTemplateName",
    "templateParameters",
    "sendTimes",
    "timezone",
    "status",
    "nextSendTime",
    "lastSendTime",
    "lastAttempts",
    "history",
]


async def test_the_documented_example_works_as_written_though_its_times_are_past(visitor: Door) -> None:
    """B-009, B-010, B-023, B-029, B-030, B-033, B-044, B-272."""
    status, created = await visitor.reminder("POST", "rem-abc123", DOCUMENTED_CREATE)
    assert status == 201
    status, item = await visitor.reminder("GET", "rem-abc123")
    assert (status, item) == (200, created)
    assert list(item)[:13] == DOCUMENTED_FIELDS
    echoed = {name: item[name] for name in DOCUMENTED_CREATE}
    assert echoed == DOCUMENTED_CREATE
    assert item["id"] == "rem-abc123"
    assert item["status"] == "active"
    assert item["nextSendTime"] == "2025-05-29T01:00:00Z"
    assert (item["lastSendTime"], item["lastAttempts"]) == (None, 0)


async def test_b_032_a_create_writes_one_history_entry_that_names_the_door(visitor: Door) -> None:
    _, item = await visitor.reminder("POST", "rem-1", a_reminder())
    (entry,) = item["history"]
    assert list(entry) == ["date", "action", "detail", "status"]
    assert (entry["action"], entry["status"]) == ("Created", "active")
    assert "Integration API" in entry["detail"]
    assert entry["date"].endswith("Z")


async def test_the_documented_cancel_works_as_written(visitor: Door) -> None:
    """B-035, B-037, B-042, B-043: the body's date is the history entry's."""
    await visitor.reminder("POST", "rem-1", a_reminder())
    body = {"date": "2025-05-30T10:00:00Z", "status": "cancelled"}
    status, item = await visitor.reminder("PUT", "rem-1", body)
    assert (status, item["status"], item["nextSendTime"]) == (200, "cancelled", None)
    created, changed = item["history"]
    assert created["action"] == "Created"
    assert (changed["action"], changed["date"], changed["status"]) == (
        "StatusChanged",
        "2025-05-30T10:00:00Z",
        "cancelled",
    )


async def test_b_037_a_date_may_be_left_out_and_may_lie_ahead(visitor: Door) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    assert (await visitor.reminder("PUT", "rem-1", {"status": "cancelled"}))[0] == 200
    ahead = {"status": "active", "date": "2124-01-01T00:00:00Z"}
    status, item = await visitor.reminder("PUT", "rem-1", ahead)
    assert (status, item["history"][-1]["date"]) == (200, "2124-01-01T00:00:00Z")
    status, refused = await visitor.reminder("PUT", "rem-1", {"date": "2025-05-30T10:00:00Z"})
    assert (status, refused["error"]["details"][0]["field"]) == (400, "status")


@pytest.mark.parametrize("status", ["active", "completed", "expired", "cancelled"])
async def test_b_036_the_four_statuses_can_be_set(visitor: Door, status: str) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    answer, item = await visitor.reminder("PUT", "rem-1", {"status": status})
    assert (answer, item["status"]) == (200, status)


@pytest.mark.parametrize("status", ["Active", "paused", "", None, 1, ["active"]])
async def test_b_036_any_other_status_is_refused(visitor: Door, status: Any) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    answer, refused = await visitor.reminder("PUT", "rem-1", {"status": status})
    assert (answer, refused["error"]["details"][0]["field"]) == (400, "status")


async def test_b_040_an_ended_item_goes_on_at_its_next_undelivered_time(door: Door) -> None:
    times = [f"203{year}-01-01T00:00:00Z" for year in range(3)]
    await door.reminder("POST", "rem-1", a_reminder(sendTimes=times))
    await door.execute("update occurrences set state = 'sent', ended_at = now() where seq = 1")
    await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    status, item = await door.reminder("PUT", "rem-1", {"status": "active"})
    assert (status, item["status"], item["nextSendTime"]) == (200, "active", times[1])
    assert await door.events() == ["reminder.created", "reminder.cancelled", "reminder.reactivated"]
    rows = await door.fetch("select scheduled_for from occurrences where state = 'scheduled' order by seq")
    assert [row["scheduled_for"].year for row in rows] == [2031, 2032]


async def test_b_041_the_same_status_again_changes_nothing(door: Door) -> None:
    await door.reminder("POST", "rem-1", a_reminder())
    _, once = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    status, twice = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert (status, twice) == (200, once)
    assert await door.events() == ["reminder.created", "reminder.cancelled"]


async def test_cancelling_a_finished_item_is_200_and_changes_nothing(visitor: Door) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    await visitor.reminder("PUT", "rem-1", {"status": "completed"})
    status, item = await visitor.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert (status, item["status"], len(item["history"])) == (200, "completed", 2)


async def test_b_045_a_delete_has_no_body_and_a_second_one_finds_nothing(door: Door) -> None:
    await door.reminder("POST", "rem-1", a_reminder())
    assert await door.reminder("DELETE", "rem-1") == (204, None)
    status, refused = await door.reminder("DELETE", "rem-1")
    assert (status, refused["error"]["code"]) == (404, "reminder_not_found")
    assert await door.fetch("select 1 from occurrences") == []
    assert await door.fetch("select 1 from history") == []
    assert await door.events() == ["reminder.created", "reminder.deleted"]


async def test_an_id_can_be_used_again_after_a_delete(visitor: Door) -> None:
    await visitor.reminder("POST", "rem-1", a_reminder())
    await visitor.reminder("DELETE", "rem-1")
    assert (await visitor.reminder("POST", "rem-1", a_reminder(recipientName="Budi")))[0] == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_b_046_an_unknown_reminder_is_404(visitor: Door, method: str) -> None:
    status, refused = await visitor.reminder(method, "nobody", {} if method == "PUT" else None)
    assert (status, refused["error"]["code"]) == (404, "reminder_not_found")


async def test_b_031_the_same_request_again_is_200_however_it_is_written(door: Door) -> None:
    """B-014, B-016, B-028: +62 and 0062, a trunk zero, another order and offset mean the same."""
    body = a_reminder(sendTimes=["2027-05-29T08:00:00+07:00", "2027-05-31T01:00:00Z"])
    _, first = await door.reminder("POST", "rem-1", body)
    again = body | {
        "countryCode": "0062",
        "phoneNumber": "0812-3456-7890",
        "sendTimes": ["2027-05-31T08:00:00+07:00", "2027-05-29T01:00:00Z", "2027-05-29T01:00:00.000Z"],
    }
    assert await door.reminder("POST", "rem-1", again) == (200, first)
    assert len(await door.fetch("select 1 from occurrences")) == 2
    assert await door.events() == ["reminder.created"]


async def test_b_031_the_item_is_answered_as_it_is_now(visitor: Door) -> None:
    body = a_reminder()
    await visitor.reminder("POST", "rem-1", body)
    await visitor.reminder("PUT", "rem-1", {"status": "cancelled"})
    status, item = await visitor.reminder("POST", "rem-1", body)
    assert (status, item["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    "change",
    [
        {"phoneNumber": "81234567891"},
        {"templateParameters": ["another", "31 Mei 2025"]},
        {"recipientName": ...},
        {"timezone": "UTC"},
        {"sendTimes": ["2031-01-01T00:00:00Z"]},
    ],
)
async def test_b_031_another_request_with_the_same_id_is_409(visitor: Door, change: dict[str, Any]) -> None:
    body = a_reminder()
    _, first = await visitor.reminder("POST", "rem-1", body)
    changed = {name: value for name, value in (body | change).items() if value is not ...}
    status, refused = await visitor.reminder("POST", "rem-1", changed)
    assert (status, refused["error"]["code"], refused["error"]["id"]) == (409, "reminder_exists", "rem-1")
    assert await visitor.reminder("GET", "rem-1") == (200, first)


async def test_a_hundred_creates_of_one_id_at_once_make_one_reminder(door: Door) -> None:
    """B-031, B-262."""
    body = a_reminder()
    answers = await asyncio.gather(*(door.reminder("POST", "rem-1", body) for _ in range(100)))
    assert sorted(status for status, _ in answers) == [200] * 99 + [201]
    assert len(await door.fetch("select 1 from occurrences")) == 1
    assert await door.events() == ["reminder.created"]


async def test_b_254_a_trailing_slash_means_the_same(visitor: Door) -> None:
    status, _ = await visitor.reminder("POST", "rem-1/", a_reminder())
    assert status == 201
    assert (await visitor.reminder("GET", "rem-1/"))[0] == 200


async def test_a_due_time_within_two_seconds_wakes_the_scheduler(door: Door) -> None:
    connection = await door.runtime.db.dedicated()
    woken = asyncio.Event()
    try:
        await connection.add_listener("belltower_due", lambda *_: woken.set())
        await door.reminder("POST", "later", a_reminder(sendTimes=[in_future(hours=1)]))
        await connection.execute("select 1")
        assert not woken.is_set()
        await door.reminder("POST", "soon", a_reminder(sendTimes=[in_future(seconds=1), in_future(hours=1)]))
        async with asyncio.timeout(2):
            await woken.wait()
    finally:
        await connection.close()
    assert door.runtime.events_written.is_set()


async def test_b_256_names_are_camel_case_here_and_snake_case_in_events(door: Door) -> None:
    """B-256, B-261: nor does an event hold a name, a number or a text."""
    _, item = await door.reminder("POST", "rem-1", a_reminder())
    assert "nextSendTime" in item
    (row,) = await door.fetch("select data from outbox")
    assert set(row["data"]) == {"reminder_id", "external_id", "next_send_at"}
