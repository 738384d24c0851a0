"""The invariant I7: each change is told once, everything told is published, and whoever hears twice hears the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from tests.rig.invariants import Finding, by
from tests.rig.ledgers import EventRow, Ledgers, OccurrenceRow

_SAYS: Final = {
    "sent": ("message.sent",),
    "uncertain": ("message.uncertain",),
    "skipped": ("message.failed", "message.skipped"),
    "expired": ("message.failed",),
}


def events_told(books: Ledgers) -> Iterator[Finding]:
    """I7: each change of state has one event, and every event was published."""
    yield from _of_sends(books)
    yield from _of_reminders(books)
    for event in books.rows.events:
        if not event.published:
            yield Finding("I7", str(event.id), f"{event.type} of {event.at} was never published")
    yield from _deliveries(books)
    yield from _heard(books)


def _of_sends(books: Ledgers) -> Iterator[Finding]:
    told = Counter((row.occurrence_id, row.type) for row in books.rows.events if row.occurrence_id)
    unknown = Counter(row.occurrence_id for row in books.rows.attempts if row.outcome == "unknown")
    tried = {row.occurrence_id for row in books.rows.attempts}
    for row in books.rows.occurrences:
        count = sum(told[row.id, type] for type in _SAYS.get(row.state, ()))
        if row.state in _SAYS and not _least(row, tried) <= count <= _most(row, unknown):
            yield Finding("I7", str(row.id), f"is {row.state} and has {count} events that say so")
        if row.state != "sent" and told[row.id, "message.sent"]:
            yield Finding("I7", str(row.id), f"is {row.state} and was told as sent")


def _least(row: OccurrenceRow, tried: set[UUID]) -> int:
    """A time that was over when it was planned is skipped from the start, and is no news."""
    return 1 if row.state in {"sent", "uncertain"} or row.id in tried else 0


def _most(row: OccurrenceRow, unknown: Counter[UUID]) -> int:
    """What was parked, proved unsent and parked again was told each time."""
    return max(1, unknown[row.id]) if row.state == "uncertain" else 1


def _of_reminders(books: Ledgers) -> Iterator[Finding]:
    kinds = Counter((row.subject, row.type) for row in books.rows.events)
    promised = {one.external_id for one in books.client or () if one.verb == "create" and one.promised}
    for reminder in books.rows.reminders:
        created = kinds[reminder.id, "reminder.created"]
        if created > 1 or (created == 0 and reminder.external_id in promised):
            yield Finding("I7", str(reminder.id), f"has {created} events of its creation")
        ends, returns = kinds[reminder.id, "reminder.completed"], kinds[reminder.id, "reminder.reactivated"]
        if reminder.status == "completed" and not 1 <= ends <= 1 + returns:
            yield Finding("I7", str(reminder.id), f"is completed and has {ends} events that say so")


def _deliveries(books: Ledgers) -> Iterator[Finding]:
    """One delivery for each event and endpoint that wants it, and each delivered one was received."""
    rows = books.rows
    made = Counter((row.endpoint_id, row.event_id) for row in rows.deliveries)
    for endpoint in rows.endpoints:
        for event in _wanted(rows.events, endpoint.account_id, endpoint.event_types):
            count = made[endpoint.id, event.id]
            if event.at > endpoint.created_at and count != 1:
                yield Finding("I7", str(event.id), f"has {count} deliveries for endpoint {endpoint.id}")
    if books.heard is not None:
        received = {(one.endpoint_id, one.id) for one in books.heard}
        for row in rows.deliveries:
            if row.state == "delivered" and (row.endpoint_id, row.id) not in received:
                yield Finding("I7", str(row.id), "is called delivered, and the endpoint got nothing")


def _wanted(events: object, account_id: UUID, types: tuple[str, ...]) -> list[EventRow]:
    return [event for event in events if event.account_id == account_id and event.type in types]  # type: ignore[attr-defined]


def _heard(books: Ledgers) -> Iterator[Finding]:
    """Each published event reaches a consumer that listened from the start; a repeat is the same to the byte."""
    if books.heard is None:
        return
    over_broker = [one for one in books.heard if one.endpoint_id is None]
    if over_broker:
        known = {one.id for one in over_broker}
        for event in books.rows.events:
            if event.published and event.id not in known:
                yield Finding("I7", str(event.id), f"{event.type} was published and never heard")
    for endpoint_id in {one.endpoint_id for one in books.heard}:
        its = [one for one in books.heard if one.endpoint_id == endpoint_id]
        for id, copies in by(its, lambda one: one.id).items():
            if len({one.body for one in copies}) > 1:
                yield Finding("I7", str(id), f"was heard {len(copies)} times with different bodies")
