"""The items door over a real database: the same reminders over the whole account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_reminder, an_item, in_future
from tests.integration.api.conftest import Door

DOCUMENTED_ITEM: dict[str, Any] = {
    "id": "unique-reminder-id",
    "countryCode": "+62",
    "phoneNumber": "81234567890",
    "recipientName": "Budi Santoso",
    "notificationTemplateName": "appointment_reminder",
    "templateParameters": ["Dr. Sari", "Senin, 2 Juni", "09:00"],
    "sendTimes": ["2025-06-01T18:00:00+07:00", "2025-06-02T07:00:00+07:00"],
    "timezone": "Asia/Jakarta",
}
"""Seed 001, the example of a create."""

DOCUMENTED_TIMES = ["2025-06-01T09:00:00+07:00", "2025-06-02T09:00:00+07:00", "2025-06-03T09:00:00+07:00"]
"""Seed 001, the three-day sequence."""

ITEM = "/api/reminder/item"


async def _create(door: Door, id: str = "item-1", **changes: Any) -> dict[str, Any]:
    status, item = await door.call("POST", f"{ITEM}/create", an_item(id, **changes))
    assert status == 201, item
    return dict(item)


async def test_the_documented_examples_work_as_written(visitor: Door) -> None:
    """B-047, B-048, B-049, B-064, B-075, B-272."""
    status, created = await visitor.call("POST", f"{ITEM}/create", DOCUMENTED_ITEM)
    assert status == 201
    assert {name: created[name] for name in DOCUMENTED_ITEM} == DOCUMENTED_ITEM
    assert created["status"] == "active"
    assert await visitor.call("GET", f"{ITEM}/unique-reminder-id") == (200, created)
    status, page = await visitor.call("GET", f"{ITEM}/list?status=active&pageSize=20&skip=0")
    assert (status, page) == (200, {"items": [created], "total": 1, "pageSize": 20, "skip": 0})
    sequence = {"id": "unique-reminder-id", "sendTimes": DOCUMENTED_TIMES, "timezone": "Asia/Jakarta"}
    status, updated = await visitor.call("PUT", f"{ITEM}/update", sequence)
    assert (status, updated["sendTimes"], updated["nextSendTime"]) == (200, DOCUMENTED_TIMES, "2025-06-01T02:00:00Z")
    assert await visitor.call("DELETE", f"{ITEM}/unique-reminder-id") == (204, None)


async def test_b_083_the_first_history_entry_is_created(visitor: Door) -> None:
    """B-050: the name is no part of it; it stands in the item."""
    item = await _create(visitor)
    assert [entry["action"] for entry in item["history"]] == ["Created"]


async def test_b_066_an_item_without_an_id_is_refused(visitor: Door) -> None:
    status, refused = await visitor.call("POST", f"{ITEM}/create", a_reminder())
    assert (status, refused["error"]["details"][0]["field"]) == (400, "id")


async def test_b_067_the_same_id_again_is_200_or_409(visitor: Door) -> None:
    body = an_item()
    _, first = await visitor.call("POST", f"{ITEM}/create", body)
    assert await visitor.call("POST", f"{ITEM}/create", body) == (200, first)
    status, refused = await visitor.call("POST", f"{ITEM}/create", body | {"recipientName": "Budi"})
    assert (status, refused["error"]["id"]) == (409, "item-1")


@pytest.mark.parametrize("id", ["list", "create", "update", "bulk"])
async def test_b_077_words_of_the_paths_are_no_ids_here_but_are_at_the_other_door(visitor: Door, id: str) -> None:
    status, refused = await visitor.call("POST", f"{ITEM}/create", an_item(id))
    assert (status, refused["error"]["details"][0]["field"]) == (400, "id")
    assert (await visitor.reminder("POST", id, a_reminder()))[0] == 201


async def test_both_doors_show_the_same_item(door: Door) -> None:
    """B-047, B-257, B-260: the caller's id is one of several; ours is a UUID that sorts by time."""
    item = await _create(door)
    (row,) = await door.fetch("select id, number, external_id from reminders")
    assert (row["id"].version, row["number"], row["external_id"]) == (7, 1, "item-1")
    assert await door.reminder("GET", "item-1") == (200, item)


async def test_b_065_another_configuration_is_named_in_body_or_query(visitor: Door) -> None:
    names = {"agentId": "agent", "configurationId": "conf"}
    await visitor.call("POST", "/api/reminder/configuration", names)
    assert (await visitor.call("POST", f"{ITEM}/create", an_item("a") | names))[0] == 201
    assert (await visitor.call("POST", f"{ITEM}/create?agentId=agent&configurationId=conf", an_item("b")))[0] == 201
    assert (await visitor.call("POST", f"{ITEM}/create?agentId=nobody", an_item("c")))[0] == 404
    _, page = await visitor.call("GET", f"{ITEM}/list?agentId=agent")
    assert {item["id"] for item in page["items"]} == {"a", "b"}
    await _create(visitor, "a")
    _, page = await visitor.call("GET", f"{ITEM}/list")
    assert page["total"] == 3
    # The same id in two configurations: the default one is meant, unless another is named.
    _, item = await visitor.call("PUT", f"{ITEM}/update", {"id": "a", "status": "cancelled"} | names)
    assert item["status"] == "cancelled"
    assert (await visitor.call("GET", f"{ITEM}/a"))[1]["status"] == "active"
    assert (await visitor.call("GET", f"{ITEM}/a?agentId=agent"))[1]["status"] == "cancelled"


async def test_an_id_in_several_configurations_but_the_default_must_be_told_apart(visitor: Door) -> None:
    for agent in ("one", "two"):
        await visitor.call("POST", "/api/reminder/configuration", {"agentId": agent, "configurationId": "c"})
        names = {"agentId": agent, "configurationId": "c"}
        assert (await visitor.call("POST", f"{ITEM}/create", an_item("a") | names))[0] == 201
    status, refused = await visitor.call("GET", f"{ITEM}/a")
    assert (status, refused["error"]["code"]) == (409, "ambiguous_id")
    assert (await visitor.call("DELETE", f"{ITEM}/a?agentId=one"))[0] == 204
    assert (await visitor.call("GET", f"{ITEM}/a"))[0] == 200


async def test_b_068_every_field_can_change(door: Door) -> None:
    await _create(door)
    change = {
        "id": "item-1",
        "countryCode": "+49",
        "phoneNumber": "030 123456",
        "recipientName": "Budi",
        "notificationTemplateName": "other",
        "templateParameters": [],
        "sendTimes": ["2031-01-01T00:00:00"],
        "timezone": "Europe/Berlin",
    }
    status, item = await door.call("PUT", f"{ITEM}/update", change)
    assert status == 200
    assert {name: item[name] for name in change} == change
    assert item["nextSendTime"] == "2030-12-31T23:00:00Z"
    assert [entry["action"] for entry in item["history"]] == ["Created", "Updated"]
    assert await door.fetch("select address from reminders") == [{"address": "+4930123456"}]
    assert await door.events() == ["reminder.created", "reminder.updated"]


async def test_b_069_what_is_left_out_stays_and_null_clears_the_name_alone(visitor: Door) -> None:
    item = await _create(visitor)
    assert await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1"}) == (200, item)
    _, cleared = await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1", "recipientName": None})
    assert cleared["recipientName"] is None
    nulls = dict.fromkeys(
        [
            "countryCode",
            "phoneNumber",
            "notificationTemplateName",
            "templateParameters",
            "sendTimes",
            "timezone",
            "status",
        ]
    )
    status, refused = await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1"} | nulls)
    assert status == 400
    assert {problem["field"] for problem in refused["error"]["details"]} == set(nulls)
    assert (await visitor.call("PUT", f"{ITEM}/update", {"status": "active"}))[0] == 400
    assert (await visitor.call("PUT", f"{ITEM}/update", {"id": "nobody"}))[0] == 404


async def test_a_number_alone_is_read_with_the_kept_code(visitor: Door) -> None:
    """B-016, B-068, B-069."""
    await _create(visitor)
    status, item = await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1", "phoneNumber": "81200000000"})
    assert (status, item["countryCode"], item["phoneNumber"]) == (200, "+62", "81200000000")


@pytest.mark.parametrize(
    "mistyped",
    [
        {"filter": {}},
        {"filter": {"ids": ["item-1"]}},
        {"filter": {"Status": "active"}},
        {"filter": {"status": "active"}, "dryrun": True},
    ],
)
async def test_a_mistyped_bulk_never_means_everything(visitor: Door, mistyped: dict[str, Any]) -> None:
    """B-063."""
    await _create(visitor)
    status, _ = await visitor.call("POST", f"{ITEM}/bulk", {"action": "cancel"} | mistyped)
    assert status == 400
    assert (await visitor.call("GET", f"{ITEM}/item-1"))[1]["status"] == "active"


async def test_a_number_that_does_not_fit_the_kept_code_is_refused(visitor: Door) -> None:
    """B-016, B-069."""
    await _create(visitor)
    status, refused = await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1", "phoneNumber": "1"})
    assert (status, refused["error"]["details"][0]["field"]) == (400, "phoneNumber")


async def test_another_zone_reads_naive_times_anew(visitor: Door) -> None:
    """B-024, B-069, B-270."""
    await _create(visitor, sendTimes=["2031-01-01T09:00:00"], timezone="UTC")
    _, item = await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1", "timezone": "Asia/Jakarta"})
    assert item["nextSendTime"] == "2031-01-01T02:00:00Z"


@pytest.mark.parametrize("ended", ["completed", "cancelled", "expired"])
async def test_an_ended_item_goes_on_at_its_next_undelivered_time(door: Door, ended: str) -> None:
    """B-070, B-072."""
    await _create(door, sendTimes=["2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z"])
    await door.execute("update occurrences set state = 'sent', ended_at = now() where seq = 1")
    await door.call("PUT", f"{ITEM}/update", {"id": "item-1", "status": ended})
    status, item = await door.call("PUT", f"{ITEM}/update", {"id": "item-1", "status": "active"})
    assert (status, item["status"], item["nextSendTime"]) == (200, "active", "2032-01-01T00:00:00Z")
    assert (item["deliveredCount"], item["skippedCount"]) == (1, 0)


async def test_b_071_with_nothing_left_to_send_it_is_409(door: Door) -> None:
    await _create(door, sendTimes=[in_future(hours=-2), "2031-01-01T00:00:00Z"])
    await door.execute("update occurrences set state = 'sent', ended_at = now() where seq = 2")
    await door.call("PUT", f"{ITEM}/update", {"id": "item-1", "status": "cancelled"})
    before = await door.call("GET", f"{ITEM}/item-1")
    change = {"id": "item-1", "status": "active", "recipientName": "Nobody"}
    status, refused = await door.call("PUT", f"{ITEM}/update", change)
    assert (status, refused["error"]["code"]) == (409, "nothing_left_to_send")
    assert "sendTimes" in refused["error"]["message"]
    assert await door.call("GET", f"{ITEM}/item-1") == before
    status, item = await door.call("PUT", f"{ITEM}/update", change | {"sendTimes": ["2033-01-01T00:00:00Z"]})
    assert (status, item["status"], item["nextSendTime"]) == (200, "active", "2033-01-01T00:00:00Z")


async def test_b_073_new_times_leave_out_what_was_sent_or_is_being_sent(door: Door) -> None:
    times = [f"203{year}-01-01T00:00:00Z" for year in range(5)]
    await _create(door, sendTimes=times[:4])
    await door.execute("update occurrences set state = 'sent', ended_at = now() where seq = 1")
    await door.execute(
        """update occurrences set state = 'sending', attempt_id = gen_random_uuid(), attempt = 1,
           lease_until = now() + interval '30 s' where seq = 2"""
    )
    await door.execute("update occurrences set attempt = 2, failures = 2 where seq = 3")
    waiting = (await door.fetch("select id from occurrences where seq = 3"))[0]["id"]
    new = [times[0], times[1], times[2], times[4], "2031-06-01T00:00:00Z"]
    status, item = await door.call("PUT", f"{ITEM}/update", {"id": "item-1", "sendTimes": new})
    assert (status, item["sendTimes"], item["nextSendTime"]) == (200, new, times[1])
    rows = await door.fetch("select id, seq, scheduled_for, state, failures from occurrences order by seq")
    assert [(row["scheduled_for"].isoformat()[:7], row["state"]) for row in rows] == [
        ("2030-01", "sent"),
        ("2031-01", "sending"),
        ("2033-01", "cancelled"),
        ("2031-06", "scheduled"),
        ("2032-01", "scheduled"),
        ("2034-01", "scheduled"),
    ]
    # The try that failed keeps its row, and with it the key that the provider knows.
    assert [(row["id"], row["failures"]) for row in rows if row["failures"]] == [(waiting, 2)]


async def test_new_times_that_hold_nothing_to_send_end_the_item(door: Door) -> None:
    """B-055, B-073."""
    await _create(door, sendTimes=["2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z"])
    await door.execute("update occurrences set state = 'sent', ended_at = now() where seq = 1")
    change = {"id": "item-1", "sendTimes": ["2031-01-01T00:00:00Z"]}
    status, item = await door.call("PUT", f"{ITEM}/update", change)
    assert (status, item["status"], item["nextSendTime"]) == (200, "completed", None)
    assert await door.events() == ["reminder.created", "reminder.updated", "reminder.completed"]


async def test_b_074_a_delete_is_for_good(visitor: Door) -> None:
    await _create(visitor)
    assert await visitor.call("DELETE", f"{ITEM}/item-1") == (204, None)
    assert (await visitor.call("DELETE", f"{ITEM}/item-1"))[0] == 404
    assert (await visitor.call("GET", f"{ITEM}/item-1"))[0] == 404


async def test_another_accounts_items_are_not_there(visitor: Door) -> None:
    """B-012."""
    await _create(visitor)
    stranger = (await visitor.another_account()).api_key
    assert (await visitor.call("GET", f"{ITEM}/item-1", key=stranger))[0] == 404
    assert (await visitor.call("DELETE", f"{ITEM}/item-1", key=stranger))[0] == 404
    assert (await visitor.call("PUT", f"{ITEM}/update", {"id": "item-1"}, key=stranger))[0] == 404
    assert (await visitor.call("GET", f"{ITEM}/list", key=stranger))[1]["items"] == []
    body = {"action": "delete", "ids": ["item-1"]}
    assert (await visitor.call("POST", f"{ITEM}/bulk", body, key=stranger))[1]["failed"] == 1
    body = {"action": "delete", "filter": {"status": "active"}}
    assert (await visitor.call("POST", f"{ITEM}/bulk", body, key=stranger))[1]["total"] == 0
    assert (await visitor.call("GET", f"{ITEM}/item-1"))[0] == 200


async def test_b_065_a_change_that_names_no_configuration_never_falls_on_another_than_the_default(
    visitor: Door,
) -> None:
    """B-045: the second DELETE of an id removed another configuration's item."""
    await visitor.call("POST", "/api/reminder/configuration", {"agentId": "agent", "configurationId": "c"})
    elsewhere = {"agentId": "agent", "configurationId": "c"}
    for where in ({}, elsewhere):
        assert (await visitor.call("POST", f"{ITEM}/create", an_item("twice", **where)))[0] == 201
    assert (await visitor.call("DELETE", f"{ITEM}/twice"))[0] == 204
    for method, path, body in (
        ("DELETE", f"{ITEM}/twice", None),
        ("PUT", f"{ITEM}/update", {"id": "twice", "status": "cancelled"}),
    ):
        status, refused = await visitor.call(method, path, body)
        assert (status, refused["error"]["code"]) == (409, "ambiguous_id")
    _, done = await visitor.call("POST", f"{ITEM}/bulk", {"action": "delete", "ids": ["twice"]})
    assert done["results"][0]["error"]["code"] == "ambiguous_id"
    assert (await visitor.call("GET", f"{ITEM}/twice"))[1]["status"] == "active"
    assert (await visitor.call("DELETE", f"{ITEM}/twice?agentId=agent&configurationId=c"))[0] == 204
    assert (await visitor.call("DELETE", f"{ITEM}/twice"))[0] == 404
