"""Event in, deliveries out: one for each endpoint that wants it, body and all.

Safe to repeat: the second insert of an event for an endpoint does nothing. Endpoints are looked up afresh for
each batch, so one that was created a moment ago misses nothing; batching is what keeps the statements few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from services.webhooks.batcher import Batcher
from services.webhooks.format import Facts, Happened
from services.webhooks.formats import FORMATS
from shared.bus.bus import BusMessage, Undeliverable
from shared.domain.endpoint import OPERATOR_EVENTS
from shared.domain.events import Event
from shared.messages.envelope import Envelope, Undecodable, UnknownType, decode, unwrap
from shared.runtime import metrics
from shared.runtime.runtime import Runtime
from shared.store import campaigns, contacts, deliveries, subscribers
from shared.store.database import Connection
from shared.store.deliveries import NewDelivery
from shared.store.subscribers import Subscriber

_RENDER: Final = {format.name: format.render for format in FORMATS}

MOST: Final = 200
"""Events of one batch."""


class FanOut:
    """The handler of the queue `webhooks.events`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._batcher = Batcher("fan-out", self._write, most=MOST)

    async def handle(self, message: BusMessage) -> None:
        """Return when the event's deliveries are committed. Raises `Undeliverable` for what cannot be read."""
        try:
            happened = read(decode(message.body))
        except Undecodable as error:
            raise Undeliverable(str(error)) from None
        if happened is None:
            metrics.IGNORED.labels("webhooks").inc()
            return
        await self._batcher.put(happened)

    async def close(self) -> None:
        """Give up what is not written; the bus will bring it again."""
        await self._batcher.close()

    async def _write(self, batch: Sequence[Happened]) -> None:
        async with self._runtime.db.connection() as db:
            made = await fan_out(db, batch)
        if made:
            self._runtime.deliveries_written.set()


def read(envelope: Envelope) -> Happened | None:
    """The event inside, None where this release does not know it. Raises `Undecodable`."""
    try:
        event = unwrap(envelope)
    except UnknownType:
        return None
    return Happened(envelope, event) if isinstance(event, Event) else None


async def fan_out(
    db: Connection, batch: Sequence[Happened], *, only: UUID | None = None, now: datetime | None = None
) -> int:
    """Make the deliveries of these events, for endpoint `only` or for all; returns how many are new."""
    accounts = {h.envelope.account_id for h in batch if h.envelope.account_id is not None}
    types = {h.envelope.type for h in batch}
    found = await subscribers.subscribers(db, account_ids=accounts, types=types)
    owed = [
        (happened, subscriber)
        for happened in batch
        for subscriber in found
        if only in {None, subscriber.id} and _wants(subscriber, happened)
    ]
    if not owed:
        return 0
    facts = await _load(db, (happened for happened, _ in owed))
    made = [_delivery(happened, subscriber, facts) for happened, subscriber in owed]
    return await deliveries.insert(db, [delivery for delivery in made if delivery is not None], now=now)


def _wants(subscriber: Subscriber, happened: Happened) -> bool:
    envelope = happened.envelope
    if envelope.account_id != subscriber.account_id or envelope.type not in subscriber.event_types:
        return False
    return not (envelope.type in OPERATOR_EVENTS and envelope.subject == subscriber.id)


async def _load(db: Connection, happened: Iterable[Happened]) -> Facts:
    """The rows that the bodies tell of, in one statement for each kind at the most."""
    accounts, unsure = set(), set()
    subjects: dict[str, set[UUID]] = {"reminder": set(), "campaign": set(), "contact": set()}
    for one in happened:
        noun, _, verb = one.envelope.type.partition(".")
        known = subjects.get("reminder" if noun == "message" else noun)
        if one.envelope.account_id is None or known is None:
            continue
        accounts.add(one.envelope.account_id)
        known.add(one.event.subject())
        if noun == "message" and verb in {"delivered", "undelivered", "read"}:
            unsure.add(UUID(one.envelope.data["occurrence_id"]))
    reminders, shown, people = subjects["reminder"], subjects["campaign"], subjects["contact"]
    return Facts(
        await subscribers.reminders(db, account_ids=accounts, ids=reminders) if reminders else {},
        await subscribers.sent_at(db, account_ids=accounts, occurrence_ids=unsure) if unsure else {},
        campaigns=await campaigns.read(db, account_ids=accounts, ids=shown) if shown else {},
        contacts=await contacts.read(db, account_ids=accounts, ids=people) if people else {},
    )


def _delivery(happened: Happened, subscriber: Subscriber, facts: Facts) -> NewDelivery | None:
    reminder = facts.reminders.get(happened.event.subject())
    if subscriber.configuration_id is not None and (
        reminder is None or reminder.configuration_id != subscriber.configuration_id
    ):
        return None
    id = uuid7()
    body = _RENDER[subscriber.format](happened, facts, id)
    if body is None:
        return None
    envelope = happened.envelope
    return NewDelivery(
        id, subscriber.account_id, subscriber.id, envelope.id, envelope.type, happened.event.subject(), body
    )
