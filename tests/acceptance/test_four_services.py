"""The whole house as a deployment runs it: real Postgres and RabbitMQ, four services, two processes of each."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import standardwebhooks

from examples.verify_webhook import verify
from shared.store.migrate import migrate
from tests.rig.processes import ROOT, running
from tests.rig.receiver import Receiver

ON_TIME = timedelta(seconds=1)
"""Wide, because a busy machine is no fault of ours; the printed figure is the one to look at."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A backend that talks to one of the API's processes."""

    http: aiohttp.ClientSession
    key: str
    secret: str
    path: str

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, path, json=body, headers={"x-api-key": self.key}) as answer:
            text = await answer.text()
            assert answer.status < 300, (answer.status, text)
            return json.loads(text) if text else None

    async def remind(self, name: str, due: datetime) -> str:
        """Create a reminder through the Integration API; returns its path there."""
        path = f"{self.path}/{name}?secret={self.secret}"
        body = {
            "countryCode": "+62",
            "phoneNumber": "81234567890",
            "notificationTemplateName": "loan_payment_reminder",
            "templateParameters": ["Rp 1.500.000", "31 Mei 2025"],
            "sendTimes": [due.isoformat()],
        }
        await self.call("POST", path, body)
        return path


def admin(environment: dict[str, str], *words: str) -> Any:
    """Run `belltower admin … --json`."""
    command = [sys.executable, "-m", "services", "admin", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


async def eventually(look: Callable[[], Any], *, within: float = 10.0) -> Any:
    """The first truthy answer of `look`."""
    async with asyncio.timeout(within):
        while True:
            found = look()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.05)


@pytest.fixture
def environment(database_url: str, bus_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "BUS_URL": bus_url,
        "BELLTOWER_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "BELLTOWER_WEBHOOK_ALLOW": "127.0.0.0/8",
    }


@pytest.fixture
async def customers(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[list[Customer]]:
    """The same customer at each of the two API processes."""
    await migrate(environment["DATABASE_URL"])
    account = await asyncio.to_thread(admin, environment, "create-account", "Acme")
    words = ("create-configuration", "--account", account["account_id"], "--agent", "billing")
    made = await asyncio.to_thread(admin, environment, *words)
    path = f"/api/reminder/{made['agent_id']}/{made['configuration_id']}"
    services = {"api": 2, "scheduler": 2, "dispatcher": 2, "webhooks": 2}
    async with running(services, environment, tmp_path) as processes:
        addresses = [str(api.address("listening")) for api in processes["api"]]
        sessions = [aiohttp.ClientSession(address) for address in addresses]
        try:
            keys = (account["api_key"], made["primary_key"], path)
            yield [Customer(session, *keys) for session in sessions]
        finally:
            await asyncio.gather(*(session.close() for session in sessions))


async def test_a_reminder_rings_on_time_and_a_signed_webhook_says_so(
    customers: list[Customer], figure: Callable[[str], None]
) -> None:
    first, second = customers
    async with Receiver.running() as receiver:
        endpoint = {"name": "CRM", "target_url": receiver.url("ok"), "event_types": ["message.sent"]}
        secret = (await first.call("POST", "/v1/webhooks", endpoint))["signing_secret"]
        due = datetime.now(UTC) + timedelta(seconds=2)
        path = await first.remind("rem-abc123", due)

        item = await eventually(lambda: _completed(second, path))
        messages = await second.call("GET", "/sandbox/messages")
        received = await eventually(lambda: receiver.ledger)

    late = _when(messages["messages"][0]["received_at"]) - due
    figure(f"rang {late.total_seconds() * 1000:.1f} ms after its time")
    assert timedelta(0) <= late <= ON_TIME
    assert len(messages["messages"]) == 1
    assert [entry["action"] for entry in item["history"]] == ["Created", "Sent"]
    event = received[0].json()
    assert (event["type"], event["data"]["external_id"]) == ("message.sent", "rem-abc123")
    assert verify(received[0].body, received[0].headers["x-remindlo-signature"], secret)
    standardwebhooks.Webhook(secret).verify(received[0].body, received[0].headers)


async def test_a_cancel_at_one_api_prevents_what_was_created_at_the_other_b_038(customers: list[Customer]) -> None:
    first, second = customers
    path = await first.remind("cancelled-in-time", datetime.now(UTC) + timedelta(seconds=1))
    answer = await second.call("PUT", path, {"date": datetime.now(UTC).isoformat(), "status": "cancelled"})
    assert answer["cancelOutcome"] == "prevented"
    later = await first.remind("later", datetime.now(UTC) + timedelta(seconds=1.2))
    await eventually(lambda: _completed(second, later))
    messages = (await first.call("GET", "/sandbox/messages"))["messages"]
    assert [message["reminder_id"] for message in messages] == ["later"]


async def _completed(customer: Customer, path: str) -> Any:
    item = await customer.call("GET", path)
    return item if item["status"] == "completed" else None


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)
