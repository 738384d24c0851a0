"""Nothing private where it must not be: canaries go in at every door, and everything that is kept or told is read.

Four services as processes over PostgreSQL and RabbitMQ, logging all they can: logs, metrics, messages on the broker,
error answers, and every column of every table.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import asyncpg
import pytest

from shared.store.migrate import migrate
from tests.acceptance.test_four_services import admin, eventually
from tests.rig.processes import Process, running
from tests.rig.receiver import Receiver

PERSON = {"7700900555", "Zebrafinchia", "zebra.finch@example.com", "canarytext", "canary%20text", "canaryparameter"}
MASTER_KEY = base64.b64encode(bytes(range(100, 132))).decode()

GUESS = "sk_live_canarysecret"
"""A key that is none: a refusal may repeat it where it stood in a field, a log may not."""

WHERE_PEOPLE_ARE = {
    "contacts": {"phone", "email", "first_name", "last_name", "note"},
    "reminders": {
        "address",
        "phone_number",
        "national_digits",
        "recipient_name",
        "parameters",
        "text",
        "subject",
        "details",
    },
    "occurrences": {"text", "subject"},
    "sandbox_messages": {"address", "parameters", "text", "subject"},
    "suppressions": {"address"},
    "deliveries": {"body"},
    "delivery_attempts": {"response"},
}
"""The only columns that may hold a number, an address, a name or a text of a person; no column may hold a secret."""


class Tap:
    """Every message of both exchanges."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    @asynccontextmanager
    async def listening(self, url: str) -> AsyncIterator[None]:
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(exclusive=True)
            for name in ("belltower.events", "belltower.commands"):
                await queue.bind(await channel.get_exchange(name), "#")
            await queue.consume(self._keep, no_ack=True)
            yield

    async def _keep(self, message: Any) -> None:
        self.messages.append(message.body + repr(message.headers).encode() + (message.routing_key or "").encode())


class Callers:
    """An account's own backends, at every door."""

    def __init__(self, http: aiohttp.ClientSession, account: dict[str, Any], made: dict[str, Any]) -> None:
        self._http, self.key, self.secret = http, account["api_key"], made["primary_key"]
        self.secrets = {
            self.key,
            made["primary_key"],
            made["secondary_key"],
            account["primary_key"],
            account["secondary_key"],
        }
        self.path = f"/api/reminder/{made['agent_id']}/{made['configuration_id']}"
        self.errors: list[str] = []
        self.contact = ""

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {"x-api-key": self.key, "Idempotency-Key": f"k-{method}-{hash(path)}-{len(str(body))}"} | headers
        async with self._http.request(method, path, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status < 300, (path, answer.status, text)
            return json.loads(text) if text else None

    async def fail(self, method: str, path: str, *, raw: bytes | None = None, **headers: str) -> None:
        """Keep what the refusal says."""
        async with self._http.request(method, path, data=raw, headers=headers) as answer:
            assert answer.status >= 400, path
            self.errors.append(f"{await answer.text()}{dict(answer.headers)}")

    async def everything(self, hook: str) -> str:
        """Something for every door to do; returns the signing secret."""
        now = datetime.now(UTC)
        soon = (now + timedelta(seconds=1)).isoformat()
        endpoint = {"name": "All", "target_url": hook, "event_types": ["message.sent", "contact.created"]}
        signing: str = (await self.call("POST", "/v1/webhooks", endpoint))["signing_secret"]
        phone = {"countryCode": "+44", "phoneNumber": "7700900555", "recipientName": "Zebrafinchia"}
        body = {
            **phone,
            "notificationTemplateName": "t",
            "templateParameters": ["canaryparameter"],
            "sendTimes": [soon],
        }
        await self.call("POST", "/api/reminder/item/create", {"id": "item-1", **body})
        await self.call("POST", f"{self.path}/rem-1?secret={self.secret}", body, **{"x-api-key": ""})
        person = {"phone": "+447700900555", "email": "zebra.finch@example.com", "first_name": "Zebrafinchia"}
        person |= {"note": "canarytext", "marketing_consent": True}
        self.contact = contact = (await self.call("POST", "/v1/contacts", person))["contact_id"]
        await self.call("POST", "/v1/messages", {"contact_id": contact, "body": "canarytext sms"})
        mail = {"contact_id": contact, "body": "canarytext mail", "channel": "email", "subject": "canarytext"}
        await self.call("POST", "/v1/messages", mail)
        sale = {"name": "Sale", "type": "one_off", "status": "running", "body": "Hi {first_name}"}
        campaign = (await self.call("POST", "/v1/campaigns", sale))["campaign"]["id"]
        await self.call("POST", "/v1/campaigns-enroll", {"campaign_id": campaign, "contact_id": contact})
        kind = (await self.call("POST", "/events/types", {"type": "visit"}))["uuid"]
        text = {"eventType": {"uuid": kind}, "messageType": "REMINDER", "text": "Hello {firstName}"}
        await self.call("POST", "/events/types/messages", text)
        visit = {
            "phone": "+447700900555",
            "firstName": "Zebrafinchia",
            "eventType": {"uuid": kind},
            "remindTimeOffset": "PT1H",
        }
        visit |= {"eventDateTime": (now + timedelta(hours=1, seconds=2)).isoformat(), "subscriberTimeZone": "UTC"}
        visit |= {"metadata": {"firstName": "Zebrafinchia"}}
        await self.call("POST", "/events/reminders", visit)
        await self.call("GET", "/v1/contacts?search=Zebrafinchia&phone=%2B447700900555")
        await self.call("GET", "/v1/contacts/zebra.finch@example.com")
        return signing

    async def mistakes(self) -> None:
        """Requests that are refused, with a secret in each place where one may stand."""
        key, other = self.key, GUESS
        self.secrets |= {other}
        for path in (
            "/v1/contacts/+447700900555",
            "/api/reminder/item/x",
            "/api/reminders/1",
            "/events/types",
            "/nowhere",
        ):
            await self.fail("GET", f"{path}?secret={key}&token={other}", **{"x-api-key": other})
            await self.fail("POST", path, raw=b"{", Authorization=f"Bearer {other}")
        await self.fail("GET", f"{self.path}/nothing?secret={other}")
        await self.fail("GET", f"{self.path}/nothing?secret={self.secret}")
        await self.fail(
            "POST",
            "/v1/webhooks",
            raw=json.dumps({"secret": other, "target_url": other}).encode(),
            **{"x-api-key": key},
        )
        await self.fail(
            "POST", "/v1/contacts", raw=b'{"first_name": 1, "canarysecret": "' + key.encode(), **{"x-api-key": key}
        )


@pytest.fixture
def environment(database_url: str, bus_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "BUS_URL": bus_url,
        "BELLTOWER_MASTER_KEY": MASTER_KEY,
        "BELLTOWER_WEBHOOK_ALLOW": "127.0.0.0/8",
        "BELLTOWER_LOG_LEVEL": "debug",
    }


def found(words: set[str], text: str | bytes) -> set[str]:
    """The words that are in there, as they are or in the ways that a secret is carried about."""
    raw = text if isinstance(text, bytes) else text.encode(errors="replace")
    return {word for word in words if any(form in raw for form in _forms(word))}


def _forms(word: str) -> set[bytes]:
    raw = word.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")}


async def columns_with(words: set[str], dsn: str) -> dict[str, set[str]]:
    """Each table's columns that hold one of the words."""
    connection = await asyncpg.connect(dsn)
    try:
        names = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        held: dict[str, set[str]] = {}
        for table in [row["relname"] for row in await connection.fetch(names)]:
            for row in await connection.fetch(f"select * from {table}"):
                for column, value in row.items():
                    if found(words, value if isinstance(value, bytes) else str(value)):
                        held.setdefault(table, set()).add(column)
        return held
    finally:
        await connection.close()


async def metrics_of(processes: list[Process]) -> str:
    text = ""
    async with aiohttp.ClientSession() as http:
        for process in processes:
            async with http.get(f"{process.address('ops_listening')}/metrics") as answer:
                text += await answer.text()
    return text


async def _all_sent(callers: Callers, receiver: Receiver) -> bool:
    messages = (await callers.call("GET", "/sandbox/messages"))["messages"]
    return len(messages) >= 6 and len(receiver.ledger) >= 7


@dataclass
class Kept:
    """All that is to be looked through."""

    told: dict[str, str]
    """Logs by service, metrics, broker."""
    refusals: list[str]
    secrets: set[str]
    people: dict[str, set[str]]
    """Tables and columns that held something of the person."""
    keys: dict[str, set[str]]
    """The same of secrets."""
    left: dict[str, set[str]]
    """What held something of the person once they had been erased."""


async def collect(environment: dict[str, str], folder: Path) -> Kept:
    dsn = environment["DATABASE_URL"]
    await migrate(dsn)
    account = await asyncio.to_thread(admin, environment, "create-account", "Acme")
    words = ("create-configuration", "--account", account["account_id"], "--agent", "billing")
    made = await asyncio.to_thread(admin, environment, *words)
    services, tap = {"api": 1, "scheduler": 1, "dispatcher": 1, "webhooks": 1}, Tap()
    async with running(services, environment, folder) as processes, Receiver.running() as receiver:
        every = [process for group in processes.values() for process in group]
        async with (
            tap.listening(environment["BUS_URL"]),
            aiohttp.ClientSession(str(processes["api"][0].address("listening"))) as http,
        ):
            callers = Callers(http, account, made)
            signing = await callers.everything(receiver.url("ok"))
            await callers.mistakes()
            await eventually(lambda: _all_sent(callers, receiver), within=30)
            secrets = {*callers.secrets, signing, signing.removeprefix("whsec_"), MASTER_KEY}
            people, keys = await columns_with(PERSON, dsn), await columns_with(secrets, dsn)
            seen = len(tap.messages)
            await callers.call("DELETE", f"/v1/contacts/{callers.contact}?erase=true")
            await eventually(lambda: b"contact.deleted" in b"".join(tap.messages[seen:]))
            left = await columns_with(PERSON, dsn)
        told = {process.service: process.log.read_text() for process in every}
        told |= {"metrics": await metrics_of(every), "broker": "\n".join(map(repr, tap.messages))}
    return Kept(told, callers.errors, secrets, people, keys, left)


async def test_b_007_private_words_are_only_where_they_must_be_and_b_129_can_be_erased(
    environment: dict[str, str], tmp_path: Path, figure: Callable[[str], None]
) -> None:
    kept = await collect(environment, tmp_path)
    for name, text in kept.told.items():
        assert found(PERSON | kept.secrets, text) == set(), name
    assert found(kept.secrets - {GUESS}, "".join(kept.refusals)) == set()
    misplaced = {table: held - WHERE_PEOPLE_ARE.get(table, set()) for table, held in kept.people.items()}
    assert {table: held for table, held in misplaced.items() if held} == {}
    assert kept.keys == {}
    tried = {"contacts", "reminders", "occurrences", "sandbox_messages", "deliveries"}
    assert tried <= set(kept.people), "else nothing was tried"
    assert kept.left == {}
    counts = ", ".join(f"{text.count(chr(10))} lines of {name}" for name, text in kept.told.items())
    figure(
        f"0 canaries in {counts} and {len(kept.refusals)} refusals; in tables only where people are, and then nowhere"
    )
