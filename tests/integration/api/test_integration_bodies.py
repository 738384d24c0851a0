"""What a create at the integration door takes: numbers, times, zones, names and ids."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import a_reminder
from tests.integration.api.conftest import Door


async def test_b_028_times_are_planned_in_order_once_and_echoed_as_written(door: Door) -> None:
    times = ["2031-06-03T09:00:00+07:00", "2031-06-01T09:00:00+07:00", "2031-06-01T02:00:00Z"]
    _, item = await door.reminder("POST", "rem-1", a_reminder(sendTimes=times))
    assert item["sendTimes"] == times
    assert item["nextSendTime"] == "2031-06-01T02:00:00Z"
    rows = await door.fetch("select seq, scheduled_for = due_at as due from occurrences order by scheduled_for")
    assert rows == [{"seq": 1, "due": True}, {"seq": 2, "due": True}]


@pytest.mark.parametrize(
    ("time", "zone", "instant"),
    [
        ("2031-06-01T09:00:00+07:00", "America/New_York", "2031-06-01T02:00:00Z"),  # B-025: the offset wins
        ("2031-06-01T09:00:00", "Asia/Jakarta", "2031-06-01T02:00:00Z"),  # B-024: the zone reads naive times
        ("2031-06-01T09:00:00", ..., "2031-06-01T09:00:00Z"),  # B-024: UTC by default
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),  # B-027: a gap moves forward
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),  # B-027: the first of an overlap
        ("2031-06-01T09:00:00.250Z", "UTC", "2031-06-01T09:00:00.250000Z"),
    ],
)
async def test_send_times_are_read_in_their_zone(visitor: Door, time: str, zone: Any, instant: str) -> None:
    """B-024, B-025, B-027."""
    status, item = await visitor.reminder("POST", "rem-1", a_reminder(sendTimes=[time], timezone=zone))
    assert (status, item["nextSendTime"], item["sendTimes"]) == (201, instant, [time])
    assert item["timezone"] == ("UTC" if zone is ... else zone)


@pytest.mark.parametrize(
    ("code", "number"), [("62", "81234567890"), ("+62", "081234567890"), ("0062", "+6281234567890")]
)
async def test_numbers_are_kept_normalised_and_echoed_as_written(door: Door, code: str, number: str) -> None:
    """B-013, B-014, B-015, B-016."""
    _, item = await door.reminder("POST", "rem-1", a_reminder(countryCode=code, phoneNumber=number))
    assert (item["countryCode"], item["phoneNumber"]) == (code, number)
    assert await door.fetch("select address, national_digits from reminders") == [
        {"address": "+6281234567890", "national_digits": "81234567890"}
    ]


async def test_b_017_a_name_may_be_left_out_or_null(visitor: Door) -> None:
    for reminder_id, name in (("rem-1", ...), ("rem-2", None)):
        status, item = await visitor.reminder("POST", reminder_id, a_reminder(recipientName=name))
        assert (status, item["recipientName"]) == (201, None)


@pytest.mark.parametrize(
    "field", ["countryCode", "phoneNumber", "notificationTemplateName", "templateParameters", "sendTimes"]
)
async def test_required_fields_are_named_when_missing(visitor: Door, field: str) -> None:
    """B-013, B-015, B-018, B-020, B-022, B-034."""
    status, refused = await visitor.reminder("POST", "rem-1", a_reminder(**{field: ...}))
    assert status == 400
    assert [problem["field"] for problem in refused["error"]["details"]] == [field]


async def test_b_022_a_list_of_no_times_is_refused(visitor: Door) -> None:
    status, refused = await visitor.reminder("POST", "rem-1", a_reminder(sendTimes=[]))
    assert (status, refused["error"]["details"][0]["field"]) == (400, "sendTimes")


async def test_b_021_no_parameters_are_a_list_too(visitor: Door) -> None:
    status, item = await visitor.reminder("POST", "rem-1", a_reminder(templateParameters=[]))
    assert (status, item["templateParameters"]) == (201, [])


async def test_b_034_all_problems_are_named_at_once(door: Door) -> None:
    body = {
        "countryCode": "+999",
        "phoneNumber": 12,
        "templateParameters": ["fine", 7],
        "sendTimes": ["2031-01-01T00:00:00Z", "tomorrow"],
        "timezone": "Mars/Olympus",
    }
    status, refused = await door.reminder("POST", "rem-1", body)
    error = refused["error"]
    assert (status, error["code"]) == (400, "invalid_request")
    assert error["message"]
    assert error["requestId"]
    assert {problem["field"] for problem in error["details"]} == {
        "countryCode",
        "phoneNumber",
        "notificationTemplateName",
        "templateParameters.1",
        "sendTimes.1",
        "timezone",
    }
    assert all(problem["reason"] for problem in error["details"])
    assert await door.fetch("select 1 from reminders") == []


@pytest.mark.parametrize("reminder_id", ["UPPER", "a b", "ä-öü", "😀", "a:b;c,d", "x" * 255, "list", "100%"])
async def test_b_011_ids_hold_any_printable_character(visitor: Door, reminder_id: str) -> None:
    status, item = await visitor.reminder("POST", quote(reminder_id, safe=""), a_reminder())
    assert (status, item["id"]) == (201, reminder_id)
    assert (await visitor.reminder("GET", quote(reminder_id, safe="")))[0] == 200


async def test_b_011_ids_are_unique_per_configuration_and_case_sensitive(visitor: Door) -> None:
    assert (await visitor.reminder("POST", "rem-1", a_reminder()))[0] == 201
    assert (await visitor.reminder("POST", "REM-1", a_reminder(recipientName="Budi")))[0] == 201
    _, other = await visitor.call("POST", "/api/reminder/configuration", {"agentId": "agent"})
    path = f"/api/reminder/agent/{other['configurationId']}/rem-1?secret={other['secondaryKey']}"
    response = await visitor.client.post(path, json=a_reminder(recipientName="Cici"))
    assert response.status == 201
