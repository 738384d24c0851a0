"""How a first start proves itself: one reminder through the real API, a second ahead, and back from the sandbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp

from services.demo import Demo

AHEAD: Final = timedelta(seconds=1)
_LOOK_EVERY: Final = 0.05
_WITHIN: Final = 10.0


class NotProved(Exception):
    """The reminder did not arrive; the message says how far it came."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of the reminder."""

    reminder_id: str
    due: datetime
    received: datetime

    @property
    def lateness(self) -> timedelta:
        return self.received - self.due


async def prove(api: str, demo: Demo) -> Proof:
    """Schedule one reminder and wait until the sandbox has it. Raises `NotProved`."""
    due = datetime.now(UTC) + AHEAD
    reminder_id = f"first-start-{due:%Y%m%dT%H%M%S}"
    try:
        async with aiohttp.ClientSession(api, timeout=aiohttp.ClientTimeout(total=5)) as session:
            await _schedule(session, demo, reminder_id, due)
            await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
            async with asyncio.timeout(_WITHIN):
                received = await _wait_for(session, demo, reminder_id)
    except TimeoutError:
        raise NotProved(f"the reminder {reminder_id} was not delivered within {_WITHIN:g} s") from None
    except aiohttp.ClientError as error:
        raise NotProved(f"the API did not answer ({type(error).__name__})") from None
    return Proof(reminder_id, due, received)


async def _schedule(session: aiohttp.ClientSession, demo: Demo, reminder_id: str, due: datetime) -> None:
    body = {
        "countryCode": "+1",
        "phoneNumber": "2025550123",
        "recipientName": "First start",
        "notificationTemplateName": "first_start",
        "templateParameters": ["Belltower"],
        "sendTimes": [due.isoformat()],
        "timezone": "UTC",
    }
    path = f"/api/reminder/{demo.agent_id}/{demo.configuration_id}/{reminder_id}"
    async with session.post(path, json=body, headers={"X-Reminder-Secret": demo.primary_key}) as answer:
        if answer.status != 201:
            raise NotProved(f"the API answered {answer.status} to a new reminder")


async def _wait_for(session: aiohttp.ClientSession, demo: Demo, reminder_id: str) -> datetime:
    while True:
        # First the pause: a look at the very moment would be in the way of what it wants to see.
        await asyncio.sleep(_LOOK_EVERY)
        received = await _received(session, demo, reminder_id)
        if received is not None:
            return received


async def _received(session: aiohttp.ClientSession, demo: Demo, reminder_id: str) -> datetime | None:
    async with session.get("/sandbox/messages?limit=10", headers={"x-api-key": demo.api_key}) as answer:
        if answer.status != 200:
            raise NotProved(f"the API answered {answer.status} to a look at the sandbox")
        messages: list[dict[str, Any]] = (await answer.json())["messages"]
    for message in messages:
        if message["reminder_id"] == reminder_id:
            return datetime.fromisoformat(message["received_at"])
    return None
