"""The invariants I1 to I6: each compares ledgers and yields what contradicts. `tests.rig.checker` runs them all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final, TypeVar
from uuid import UUID

from shared.domain import backoff, endpoint
from tests.rig.ledgers import Answered, AttemptRow, DeliveryAttemptRow, Ledgers, OccurrenceRow, Received

RECOVERY: Final = timedelta(seconds=60)
"""How long after the last fault everything that is due must have ended (I2)."""
MOST_FAILURES: Final = 5
ENDED: Final = frozenset({"sent", "skipped", "uncertain", "cancelled", "expired"})
SLACK: Final = timedelta(milliseconds=50)
"""Between two readings of one clock, of which one was taken a little later than what it times."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the id to look into and the figures."""

    invariant: str
    subject: str
    says: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.says}"


def by(rows: Iterable[T], key: Callable[[T], UUID]) -> dict[UUID, list[T]]:
    """Rows in groups."""
    groups: dict[UUID, list[T]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def taken(books: Ledgers) -> Counter[UUID]:
    """How many messages each send became at the provider."""
    return Counter(call.occurrence_id for call in books.provider or () if call.message_id and not call.repeat)


def no_acked_loss(books: Ledgers) -> Iterator[Finding]:
    """I1: what a create answered 2xx to is in the database, unless a caller asked to delete it."""
    held = {row.external_id for row in books.rows.reminders} | books.rows.deleted
    asked_to_go = {one.external_id for one in books.client or () if one.verb == "delete"}
    for one in books.client or ():
        if one.verb == "create" and one.promised and one.external_id not in held | asked_to_go:
            yield Finding("I1", one.external_id, f"answered {one.status} and is not in the database")


def no_silent_loss(books: Ledgers) -> Iterator[Finding]:
    """I2: every due send has ended, in time, and what is called sent was taken by the provider."""
    messages = taken(books)
    for row in books.rows.occurrences:
        if row.state not in ENDED:
            if row.scheduled_for <= books.now:
                yield Finding("I2", str(row.id), f"due since {row.scheduled_for} and still {row.state}")
        elif books.calmed_at is not None and row.ended_at is not None:
            late = row.ended_at - max(books.calmed_at, row.scheduled_for)
            if late > RECOVERY:
                yield Finding("I2", str(row.id), f"ended {late.total_seconds():.0f} s after the last fault")
        if row.state == "sent" and books.provider is not None and not messages[row.id]:
            yield Finding("I2", str(row.id), "is called sent, and the provider took no message")
    open_ones = {row.reminder_id for row in books.rows.occurrences if row.state not in ENDED}
    for reminder in books.rows.reminders:
        if reminder.status == "active" and reminder.id not in open_ones:
            yield Finding("I2", str(reminder.id), "is active and has no send that is still to be made")


def no_double_send(books: Ledgers) -> Iterator[Finding]:
    """I3: at most one message for each send, except where a tenant chose to repeat what is unknown."""
    policies = {row.id: row.on_unknown for row in books.rows.reminders}
    repeats = {row.id for row in books.rows.occurrences if policies.get(row.reminder_id) == "retry"}
    for occurrence, messages in taken(books).items():
        allowed = messages if occurrence in repeats and not books.honours_keys else 1
        if messages > allowed:
            yield Finding("I3", str(occurrence), f"{messages} messages were taken for one send")


def attempts_bounded(books: Ledgers) -> Iterator[Finding]:
    """I4: at most five failures a send and eight attempts a delivery, each after the wait of its step."""
    for row in books.rows.occurrences:
        if row.failures > MOST_FAILURES:
            yield Finding("I4", str(row.id), f"{row.failures} failures")
    failing = Counter(call.occurrence_id for call in books.provider or () if call.failing)
    lost = Counter(row.occurrence_id for row in books.rows.attempts if row.outcome == "unknown")
    for occurrence, calls in failing.items():
        if calls > MOST_FAILURES + lost[occurrence]:
            yield Finding("I4", str(occurrence), f"{calls} failing calls at the provider")
    for occurrence, tried in by(books.rows.attempts, lambda row: row.occurrence_id).items():
        yield from _too_soon(str(occurrence), sorted(tried, key=lambda row: row.number))
    for delivery, posts in by(books.rows.delivery_attempts, lambda row: row.delivery_id).items():
        yield from _posts(str(delivery), posts)


def in_order(books: Ledgers) -> Iterator[Finding]:
    """I5: gap-free versions for each subject, and send times that are tried one after the other."""
    for subject, events in by(books.rows.events, lambda row: row.subject).items():
        numbers = sorted(row.sequence for row in events)
        if numbers != list(range(1, len(numbers) + 1)):
            yield Finding("I5", str(subject), f"the sequence of its events is {numbers[:20]}")
    counted = Counter(row.subject for row in books.rows.events)
    for reminder in books.rows.reminders:
        if reminder.sequence != counted[reminder.id]:
            yield Finding("I5", str(reminder.id), f"version {reminder.sequence}, but {counted[reminder.id]} events")
    attempts = by(books.rows.attempts, lambda row: row.occurrence_id)
    for reminder_id, places in by(books.rows.occurrences, lambda row: row.reminder_id).items():
        tried = [row for row in sorted(places, key=lambda row: row.seq) if row.id in attempts]
        for earlier, later in pairwise(tried):
            last = max(row.started_at for row in attempts[earlier.id])
            if min(row.started_at for row in attempts[later.id]) < last:
                yield Finding("I5", str(reminder_id), f"send {later.seq} was tried before send {earlier.seq} had ended")


def cancel_wins(books: Ledgers) -> Iterator[Finding]:
    """I6: after the answer to a cancel no call starts, and each of the three answers is true.

    A send that was `in_flight` may reach the provider a moment later: its attempt began before the answer.
    """
    ids = {row.external_id: row.id for row in books.rows.reminders}
    places = by(books.rows.occurrences, lambda row: row.reminder_id)
    calls = by(books.provider or (), lambda call: call.occurrence_id)
    tries = by(books.rows.attempts, lambda row: row.occurrence_id)
    for one in books.client or ():
        if one.verb in {"cancel", "delete"} and one.promised and one.external_id in ids:
            its = places[ids[one.external_id]]
            yield from _cancelled(
                one, its, [call for p in its for call in calls[p.id]], [row for p in its for row in tries[p.id]]
            )


def _too_soon(name: str, tried: Sequence[AttemptRow]) -> Iterator[Finding]:
    """Each failure is followed by the wait of its step; what uses up no failure waits like the one before it."""
    failures = 0
    for row, following in pairwise(tried):
        if row.outcome not in {"failed", "error", "unavailable"}:
            continue
        failures += not (row.outcome == "unavailable" or row.reason.startswith("not called") or _throttled(row))
        step = backoff.SEND[min(max(failures, 1), len(backoff.SEND)) - 1]
        waited = following.started_at - row.started_at
        if waited < step * (1 - backoff.JITTER) - SLACK:
            yield Finding("I4", name, f"attempt {following.number} after {waited}, not {step}")


def _throttled(row: AttemptRow) -> bool:
    return (row.code or "").endswith("429") or "slow down" in row.reason


def _posts(name: str, posts: Sequence[DeliveryAttemptRow]) -> Iterator[Finding]:
    if len(posts) > endpoint.MAX_ATTEMPTS:
        yield Finding("I4", name, f"{len(posts)} webhook attempts")
    started = {row.number: row.started_at for row in posts}
    for number, step in enumerate(endpoint.GAPS, start=1):
        if number in started and number + 1 in started:
            waited = started[number + 1] - started[number]
            if waited < step * (1 - endpoint.JITTER) - SLACK:
                yield Finding("I4", name, f"webhook attempt {number + 1} after {waited}, not {step}")


def _cancelled(
    one: Answered, places: Sequence[OccurrenceRow], calls: Sequence[Received], tries: Sequence[AttemptRow]
) -> Iterator[Finding]:
    name = one.external_id
    for call in calls:
        if one.outcome == "prevented" and (call.at > one.answered_at or len(places) == 1):
            yield Finding("I6", name, f"prevented at {one.answered_at}, and the provider was called at {call.at}")
    for attempt in tries:
        if attempt.started_at > one.answered_at:
            yield Finding("I6", name, f"{one.outcome} at {one.answered_at}, and a call began at {attempt.started_at}")
    if one.outcome == "in_flight" and not tries:
        yield Finding("I6", name, "in_flight was answered, and there was no attempt")
    if one.outcome == "already_sent":
        done = [p for p in places if p.state in {"sent", "uncertain"} and p.ended_at and p.ended_at <= one.answered_at]
        if not done:
            yield Finding("I6", name, "already_sent was answered, and nothing had been sent by then")
