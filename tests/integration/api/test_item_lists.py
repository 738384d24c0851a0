"""Lists of items: filters, pages, order; and one action on many."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import an_item, in_future
from tests.integration.api.conftest import Door

ITEM = "/api/reminder/item"


async def _make(door: Door, *ids: str, **changes: Any) -> None:
    for id in ids:
        status, item = await door.call("POST", f"{ITEM}/create", an_item(id, **changes))
        assert status == 201, item


async def _ids(door: Door, query: str) -> list[str]:
    status, page = await door.call("GET", f"{ITEM}/list?{query}")
    assert status == 200, page
    return [item["id"] for item in page["items"]]


async def test_b_078_a_list_is_filtered_by_status(visitor: Door) -> None:
    """B-076."""
    await _make(visitor, "a", "b")
    await visitor.call("PUT", f"{ITEM}/update", {"id": "a", "status": "cancelled"})
    assert await _ids(visitor, "status=cancelled") == ["a"]
    assert await _ids(visitor, "status=active") == ["b"]
    assert await _ids(visitor, "status=expired") == []
    status, refused = await visitor.call("GET", f"{ITEM}/list?status=paused")
    assert (status, refused["error"]["details"][0]["field"]) == (400, "status")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("81234567890", ["a"]),
        ("081234567890", ["a"]),
        ("+6281234567890", ["a"]),
        ("%2B62 812-3456-7890", ["a"]),
        ("006281234567890", ["a"]),
        ("1234567", []),
        ("1234567&phoneMatch=contains", ["a"]),
        ("62812&phoneMatch=contains", ["a"]),
        ("999&phoneMatch=contains", []),
    ],
)
async def test_b_079_numbers_are_found_however_they_are_written(visitor: Door, written: str, found: list[str]) -> None:
    await _make(visitor, "a")
    await _make(visitor, "b", phoneNumber="85550001111")
    assert await _ids(visitor, f"phoneNumber={written}") == found


@pytest.mark.parametrize("written", ["", "%25", "_", "abc", "8123%25", "' or 1=1 --", "8" * 65])
async def test_a_number_to_search_by_has_digits_alone(visitor: Door, written: str) -> None:
    """B-079: so that nothing in it is a wildcard."""
    assert (await visitor.call("GET", f"{ITEM}/list?phoneNumber={written}"))[0] == 400


async def test_b_080_dates_are_those_of_creation_and_both_ends_count(door: Door) -> None:
    await _make(door, "a", "b", "c")
    for id, at in (
        ("a", "2031-05-01T23:59:59.999999Z"),
        ("b", "2031-05-02T00:00:00Z"),
        ("c", "2031-05-03T12:00:00Z"),
    ):
        await door.execute(f"update reminders set created_at = '{at}' where external_id = '{id}'")
    assert await _ids(door, "dateFrom=2031-05-02") == ["c", "b"]
    assert await _ids(door, "dateTo=2031-05-01") == ["a"]
    assert await _ids(door, "dateTo=2031-05-02") == ["b", "a"]
    assert await _ids(door, "dateFrom=2031-05-02T00:00:00Z&dateTo=2031-05-03T12:00:00Z") == ["c", "b"]
    plus = quote("2031-05-03T19:00:00+07:00")
    assert await _ids(door, f"dateFrom={plus}") == ["c"]
    assert await _ids(door, "dateFrom=2031-05-03T19:00:00+07:00") == ["c"]  # the plus came as a space
    assert await _ids(door, "dateFrom=2031-05-03T12:00:01Z") == []


async def test_a_day_is_one_of_the_accounts_zone(door: Door) -> None:
    """B-080."""
    await _make(door, "a")
    await door.execute("update accounts set time_zone = 'Asia/Jakarta'")
    await door.execute("update reminders set created_at = '2031-05-01T18:00:00Z'")
    assert await _ids(door, "dateFrom=2031-05-02&dateTo=2031-05-02") == ["a"]
    assert await _ids(door, "dateTo=2031-05-01") == []


async def test_b_081_pages_are_stable_newest_first(door: Door) -> None:
    """B-082, B-258."""
    await _make(door, *"abcde")
    await door.execute("update reminders set created_at = '2031-01-01T00:00:00Z' where external_id in ('a', 'b', 'c')")
    everything = await _ids(door, "pageSize=200")
    assert set(everything[:3]) == set("abc")
    assert everything[3:] == ["e", "d"]
    pages = [await _ids(door, f"pageSize=2&skip={skip}") for skip in (0, 2, 4, 6)]
    assert [id for page in pages for id in page] == everything
    status, page = await door.call("GET", f"{ITEM}/list?pageSize=2&skip=4")
    assert (status, page["total"], page["pageSize"], page["skip"], len(page["items"])) == (200, 5, 2, 4, 1)
    assert (await door.call("GET", f"{ITEM}/list"))[1]["pageSize"] == 20


@pytest.mark.parametrize(
    "query",
    [
        "pageSize=0",
        "pageSize=201",
        "pageSize=-1",
        "pageSize=1e3",
        "pageSize=ten",
        "pageSize=1_0",
        "pageSize=",
        "skip=-1",
        "skip=1000000000000000000",
        "skip=٣",
        "pageSize=1&pageSize=2",
        "dateFrom=yesterday",
        "dateFrom=2031-02-30",
        "dateTo=9999-12-31",
        "dateTo=10000-01-01",
        "dateFrom=1748505600",
        "phoneNumber=1&phoneMatch=like",
    ],
)
async def test_a_list_that_makes_no_sense_is_400(visitor: Door, query: str) -> None:
    status, refused = await visitor.call("GET", f"{ITEM}/list?{query}")
    assert (status, refused["error"]["code"]) == (400, "invalid_request")


async def test_a_page_far_behind_the_end_is_empty(visitor: Door) -> None:
    assert await _ids(visitor, "skip=999999999") == []


@pytest.mark.parametrize(
    ("action", "status"), [("cancel", "cancelled"), ("complete", "completed"), ("activate", "active")]
)
async def test_b_063_one_action_changes_many(visitor: Door, action: str, status: str) -> None:
    await _make(visitor, "a", "b")
    await visitor.call("PUT", f"{ITEM}/update", {"id": "b", "status": "expired"})
    body = {"action": action, "ids": ["b", "nobody", "a", "a"]}
    answer, told = await visitor.call("POST", f"{ITEM}/bulk", body)
    assert (answer, told["total"], told["succeeded"], told["failed"]) == (200, 3, 2, 1)
    assert [result["id"] for result in told["results"]] == ["b", "nobody", "a"]
    assert told["results"][1]["error"]["code"] == "reminder_not_found"
    after = {id: (await visitor.call("GET", f"{ITEM}/{id}"))[1]["status"] for id in "ab"}
    # A cancel leaves what is over as it is.
    assert after == {"a": status, "b": "expired" if action == "cancel" else status}


async def test_b_063_a_filter_chooses_too_and_a_dry_run_changes_nothing(door: Door) -> None:
    await _make(door, "a", "b")
    await _make(door, "c", phoneNumber="85550001111")
    body = {"action": "delete", "filter": {"phoneNumber": "81234567890"}, "dryRun": True}
    _, told = await door.call("POST", f"{ITEM}/bulk", body)
    assert (told["dryRun"], {result["id"] for result in told["results"]}) == (True, {"a", "b"})
    assert {result["cancelOutcome"] for result in told["results"]} == {"prevented"}
    assert (await door.call("GET", f"{ITEM}/list"))[1]["total"] == 3
    assert await door.events() == ["reminder.created"] * 3
    await door.call("POST", f"{ITEM}/bulk", body | {"dryRun": False})
    assert await _ids(door, "") == ["c"]


async def test_b_063_reschedule_gives_all_the_same_times(visitor: Door) -> None:
    await _make(visitor, "a", "b")
    await visitor.call("PUT", f"{ITEM}/update", {"id": "b", "status": "cancelled"})
    body = {"action": "reschedule", "ids": ["a", "b"], "sendTimes": ["2031-01-01T09:00:00"], "timezone": "Asia/Jakarta"}
    _, told = await visitor.call("POST", f"{ITEM}/bulk", body)
    assert [(result["status"], result["nextSendTime"]) for result in told["results"]] == [
        ("active", "2031-01-01T02:00:00Z"),
        ("active", "2031-01-01T02:00:00Z"),
    ]


async def test_b_063_one_refusal_touches_no_other(visitor: Door) -> None:
    await _make(visitor, "a", sendTimes=[in_future(hours=-1)])
    await _make(visitor, "b")
    for id in "ab":
        await visitor.call("PUT", f"{ITEM}/update", {"id": id, "status": "cancelled"})
    _, told = await visitor.call("POST", f"{ITEM}/bulk", {"action": "activate", "ids": ["a", "b"]})
    assert told["results"][0]["error"]["code"] == "nothing_left_to_send"
    assert told["results"][1]["status"] == "active"
    assert (await visitor.call("GET", f"{ITEM}/a"))[1]["status"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {"action": "cancel"},
        {"action": "cancel", "ids": []},
        {"action": "cancel", "ids": ["a"], "filter": {}},
        {"action": "cancel", "ids": [f"id-{n}" for n in range(1001)]},
        {"action": "explode", "ids": ["a"]},
        {"action": "reschedule", "ids": ["a"]},
        {"action": "cancel", "ids": ["a"], "sendTimes": ["2031-01-01T09:00:00Z"]},
        {"action": "cancel", "ids": ["a"], "dryRun": "yes"},
    ],
)
async def test_b_063_a_bulk_request_that_makes_no_sense_is_400(visitor: Door, body: dict[str, Any]) -> None:
    assert (await visitor.call("POST", f"{ITEM}/bulk", body))[0] == 400


async def test_b_063_a_thousand_ids_fit_into_one_request(door: Door) -> None:
    await _make(door, "item-0")
    await door.execute(
        """insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, country_code,
               phone_number, national_digits, template_name, schedule, tzdata_version, status, sequence, created_at,
               updated_at)
           select gen_random_uuid(), account_id, configuration_id, door, 'item-' || n, channel, address, country_code,
               phone_number, national_digits, template_name, schedule, tzdata_version, status, 0, created_at, updated_at
           from reminders, generate_series(1, 999) n"""
    )
    body = {"action": "cancel", "ids": [f"item-{n}" for n in range(1000)]}
    status, told = await door.call("POST", f"{ITEM}/bulk", body)
    assert (status, told["succeeded"]) == (200, 1000)
