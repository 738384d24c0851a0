"""Asks why a reminder goes out when it does, and checks each answer against its declared type."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from builders import a_reminder
from integration.api.conftest import Door
from pydantic import TypeAdapter

from services.api.dialects.campaigns.reminders_wire import ExplainAnswer, LivesAnswer

NUMBER = "+6281234567890"
EXPLAINED: TypeAdapter[Any] = TypeAdapter(ExplainAnswer)
LIVES: TypeAdapter[Any] = TypeAdapter(LivesAnswer)


async def remind(door: Door, reminder_id: str = "r-1", **changes: Any) -> UUID:
    status, answer = await door.reminder("POST", reminder_id, a_reminder(**changes))
    assert status == 201, answer
    rows = await door.fetch("select id from reminders where external_id = $1 order by created_at desc", reminder_id)
    id: UUID = rows[0]["id"]
    return id


async def explain(door: Door, id: UUID, query: str = "") -> dict[str, Any]:
    status, answer = await door.call("GET", f"/v1/reminders/{id}/explain{query}")
    assert status == 200, answer
    EXPLAINED.validate_python(answer)
    found: dict[str, Any] = answer
    return found


async def verdict(door: Door, id: UUID) -> str:
    answer = await explain(door, id)
    code: str = answer["explanation"]["verdict"]["code"]
    return code


async def lives(door: Door, query: str) -> dict[str, Any]:
    status, answer = await door.call("GET", f"/v1/reminders?{query}")
    assert status == 200, answer
    LIVES.validate_python(answer)
    found: dict[str, Any] = answer
    return found


async def end(door: Door, id: UUID, state: str, reason: str | None, *, status: str = "expired") -> None:
    await door.execute(
        "update occurrences set state = $2, reason = $3, ended_at = now() where reminder_id = $1", id, state, reason
    )
    await door.execute("update reminders set status = $2, ended_at = now() where id = $1", id, status)
