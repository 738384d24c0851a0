"""Appointment types and their messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.appointment_tools import code, fields
from tests.integration.api.conftest import Door

TYPES, MESSAGES = "/events/types", "/events/types/messages"


async def _type(door: Door, name: str = "check-up") -> str:
    status, answer = await door.call("POST", TYPES, {"type": name})
    assert status == 200
    assert answer == {"uuid": answer["uuid"], "type": name}
    uuid: str = answer["uuid"]
    return uuid


async def test_a_type_has_a_uuid_and_one_name(visitor: Door) -> None:
    """C-20."""
    uuid = await _type(visitor)
    assert await _type(visitor) == uuid, "a request may come twice"
    other = await _type(visitor, "surgery")
    assert await visitor.call("GET", f"{TYPES}/{uuid}") == (200, {"uuid": uuid, "type": "check-up"})
    _, listed = await visitor.call("GET", TYPES)
    assert [one["uuid"] for one in listed["types"]] == [uuid, other]
    _, page = await visitor.call("GET", f"{TYPES}?limit=1&offset=1")
    assert ([one["uuid"] for one in page["types"]], page["total"]) == ([other], 2)


@pytest.mark.parametrize("uuid", ["x", "01a1fe90-8df3-7321-a7b3-041071b770a8"])
async def test_an_unknown_type_is_not_found(visitor: Door, uuid: str) -> None:
    """C-20."""
    assert code(await visitor.call("GET", f"{TYPES}/{uuid}")) == (404, "APPOINTMENT_TYPE_NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"type": ""}, {"type": 1}, {"type": None}, {"type": "a\u0007"}])
async def test_a_type_needs_a_name(visitor: Door, body: dict[str, Any]) -> None:
    """C-20."""
    answer = await visitor.call("POST", TYPES, body)
    assert answer[0] == 400
    assert fields(answer) == {"type"}


@pytest.mark.parametrize("kind", ["CONFIRMATION", "CANCELLATION", "REMINDER", "NO_SHOW", "FOLLOW_UP"])
async def test_a_message_answers_with_its_macros(visitor: Door, kind: str) -> None:
    """C-21, C-22."""
    event_type = {"uuid": await _type(visitor)}
    body = {"eventType": event_type, "messageType": kind, "text": "{doctor} in {eventLocation}, {doctor}!"}
    wanted = body | {"macros": ["doctor", "eventLocation"]}
    assert await visitor.call("POST", MESSAGES, body) == (200, wanted)
    assert await visitor.call("GET", MESSAGES) == (200, {"messages": [wanted]})


async def test_a_message_that_is_posted_again_is_replaced(visitor: Door) -> None:
    """C-21."""
    uuid = await _type(visitor)
    for text in ("One", "Two"):
        body = {"eventType": {"uuid": uuid}, "messageType": "REMINDER", "text": text}
        assert (await visitor.call("POST", MESSAGES, body))[0] == 200
    _, listed = await visitor.call("GET", f"{MESSAGES}?eventType={uuid}")
    assert [one["text"] for one in listed["messages"]] == ["Two"]
    other = await _type(visitor, "surgery")
    for query in (other, "x"):
        assert await visitor.call("GET", f"{MESSAGES}?eventType={query}") == (200, {"messages": []})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"messageType": "REMINDERS"}, "messageType"),
        ({"messageType": None}, "messageType"),
        ({"text": ""}, "text"),
        ({"text": "In {event Location}"}, "text"),
        ({"text": "In {eventLocation"}, "text"),
        ({"text": "In {{eventLocation}}"}, "text"),
        ({"text": "x" * 1_601}, "text"),
        ({"eventType": {"uuid": "x"}}, "eventType.uuid"),
        ({"eventType": {}}, "eventType.uuid"),
    ],
)
async def test_a_message_that_could_not_be_sent_is_refused(visitor: Door, wrong: dict[str, Any], field: str) -> None:
    """C-21, C-22."""
    body = {"eventType": {"uuid": await _type(visitor)}, "messageType": "REMINDER", "text": "Hello"}
    answer = await visitor.call("POST", MESSAGES, body | wrong)
    assert answer[0] == 400
    assert fields(answer) == {field}
