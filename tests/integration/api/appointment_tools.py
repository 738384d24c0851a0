"""A practice that reminds of appointments: what a test needs to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.api.conftest import Answer, Door

TEXTS = {
    "REMINDER": "See you in {eventLocation}!",
    "FOLLOW_UP": "How was {eventLocation}?",
    "NO_SHOW": "We missed you in {eventLocation}.",
}


@dataclass
class Practice:
    """An account with an appointment type and its messages."""

    door: Door
    type: str
    event: str
    """When the appointment is, unless a test says another time."""

    def body(self, **changes: Any) -> dict[str, Any]:
        """A booking two days ahead, reminded of an hour before; `...` leaves a field out."""
        body = {
            "externalEventId": "12345",
            "phone": "617-555-0100",
            "eventType": {"uuid": self.type},
            "remindTimeOffset": "PT1H",
            "followUpTimeOffset": "PT2H",
            "eventDateTime": self.event,
            "subscriberTimeZone": "America/New_York",
            "metadata": {"eventLocation": "New York"},
        }
        return {name: value for name, value in (body | changes).items() if value is not ...}

    async def book(self, **changes: Any) -> Answer:
        return await self.door.call("POST", "/events/reminders", self.body(**changes))

    async def booked(self, **changes: Any) -> str:
        """The uuid of a booking that is accepted."""
        status, answer = await self.book(**changes)
        assert status == 200, answer
        uuid: str = answer["uuid"]
        return uuid

    async def change(self, uuid: str, /, **fields: Any) -> Answer:
        return await self.door.call("PUT", f"/events/reminders/{uuid}", fields)

    async def cancel(self, uuid: str) -> Answer:
        return await self.door.call("POST", f"/events/reminders/{uuid}/cancel")

    async def no_show(self, uuid: str) -> Answer:
        return await self.door.call("POST", f"/events/reminders/{uuid}/no-show")

    async def message(self, kind: str, text: str) -> Answer:
        body = {"eventType": {"uuid": self.type}, "messageType": kind, "text": text}
        return await self.door.call("POST", "/events/types/messages", body)

    async def sends(self, uuid: str) -> list[tuple[str, str]]:
        """Kind and state of every planned send, in order; what was only replaced is left out."""
        rows = await self.door.fetch(
            "select kind, state from occurrences where reminder_id = $1 and reason is distinct from 'replaced' "
            "order by seq",
            UUID(uuid),
        )
        return [(row["kind"], row["state"]) for row in rows]

    async def waiting(self, uuid: str) -> list[tuple[str, datetime, str]]:
        """Kind, time and text of what is still to be sent."""
        rows = await self.door.fetch(
            "select kind, scheduled_for, text from occurrences where reminder_id = $1 and state = 'scheduled' "
            "order by seq",
            UUID(uuid),
        )
        return [(row["kind"], row["scheduled_for"], row["text"]) for row in rows]

    async def travel(self, uuid: str, **delta: float) -> None:
        """Let so much time pass for one appointment: all its times are earlier by that."""
        back = timedelta(**delta)
        (row,) = await self.door.fetch("select schedule from reminders where id = $1", UUID(uuid))
        event = (datetime.fromisoformat(row["schedule"]["event"]) - back).isoformat()
        await self.door.execute(
            "update reminders set schedule = jsonb_set(schedule, '{event}', to_jsonb($2::text)) where id = $1",
            UUID(uuid),
            event,
        )
        await self.door.execute(
            "update occurrences set scheduled_for = scheduled_for - $2::interval, due_at = due_at - $2::interval "
            "where reminder_id = $1",
            UUID(uuid),
            back,
        )

    async def sent(self, uuid: str, kind: str = "main") -> None:
        """As if a send had been made."""
        await self.door.execute(
            "update occurrences set state = 'sent', ended_at = clock_timestamp() where reminder_id = $1 and kind = $2",
            UUID(uuid),
            kind,
        )
        await self.door.execute(
            "update reminders set status = 'completed', ended_at = clock_timestamp() where id = $1 and not exists "
            "(select from occurrences where reminder_id = $1 and state = 'scheduled')",
            UUID(uuid),
        )


def at(**delta: float) -> str:
    """So long from now, in whole seconds, with its offset."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(**delta)).isoformat()


async def open_practice(door: Door, **texts: str) -> Practice:
    """With the usual messages, or with `texts`."""
    _, kind = await door.call("POST", "/events/types", {"type": "check-up"})
    practice = Practice(door, kind["uuid"], at(days=2))
    for name, text in (texts or TEXTS).items():
        status, answer = await practice.message(name, text)
        assert status == 200, answer
    return practice


def code(answer: Answer) -> tuple[int, str]:
    """Status and code of a refusal, which has the documented shape."""
    status, body = answer
    assert set(body) == {"message", "code", "details"}, body
    return status, body["code"]


def fields(answer: Answer) -> set[str]:
    """The fields that a refusal names."""
    return {problem["field"] for problem in answer[1]["details"]["problems"]}
