"""The checker finds what it is there to find: for each invariant, books that keep it and books that break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.rig.bounds import Sample, bounded, isolated, no_leak
from tests.rig.checker import assert_holds, check
from tests.rig.ledgers import (
    Answered,
    AttemptRow,
    DeliveryAttemptRow,
    DeliveryRow,
    EndpointRow,
    EventRow,
    Heard,
    Ledgers,
    OccurrenceRow,
    Received,
    ReminderRow,
    Rows,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT, REMINDER, SEND, ENDPOINT = (UUID(int=number) for number in range(1, 5))
CREATED, SENT, COMPLETED = (UUID(int=number) for number in range(11, 14))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def event(id: UUID, type: str, sequence: int, occurrence: UUID | None = None) -> EventRow:
    return EventRow(id, type, REMINDER, sequence, True, ACCOUNT, occurrence, at(sequence))


CREATE = Answered("create", "one", at(0), at(0.1), 201)
OCCURRENCE = OccurrenceRow(SEND, REMINDER, 1, at(10), "sent", 0, True, at(11))
ATTEMPT = AttemptRow(SEND, 1, at(10), "accepted")
CALL = Received(SEND, at(10.5), f"{SEND}:0", "msg_1", False)
DELIVERY = DeliveryRow(uuid4(), ENDPOINT, SENT, "delivered", 1)
EVENTS = (event(CREATED, "reminder.created", 1), event(SENT, "message.sent", 2, SEND))
EVENTS += (event(COMPLETED, "reminder.completed", 3),)


def rows(**changed: object) -> Rows:
    """One reminder that was created, sent, completed and told."""
    whole = Rows(
        reminders=[ReminderRow(REMINDER, "one", "completed", 3, "park", False)],
        occurrences=[OCCURRENCE],
        attempts=[ATTEMPT],
        events=EVENTS,
        endpoints=[EndpointRow(ENDPOINT, ACCOUNT, ("message.sent",), at(0), "active")],
        deliveries=[DELIVERY],
        delivery_attempts=[DeliveryAttemptRow(DELIVERY.id, 1, at(12))],
    )
    return replace(whole, **changed)


def books(changed: Rows | None = None, **more: object) -> Ledgers:
    """Books in which nothing is wrong, but for what is changed."""
    whole = Ledgers(changed or rows(), [CREATE], [CALL], calmed_at=at(5), now=at(100))
    whole.heard = [Heard(one.id, b"{}") for one in EVENTS] + [Heard(DELIVERY.id, b"{}", ENDPOINT)]
    return replace(whole, **more)


def broken(found: Ledgers) -> set[str]:
    return {finding.invariant for finding in check(found)}


def cancel(outcome: str, seconds: float) -> Answered:
    return Answered("cancel", "one", at(seconds - 0.1), at(seconds), 200, outcome)


PARKED = replace(OCCURRENCE, state="uncertain", takes_key=False)
TOLD_UNCERTAIN = (*EVENTS[:1], event(SENT, "message.uncertain", 2, SEND), *EVENTS[2:])


def test_books_in_which_nothing_is_wrong_have_no_findings() -> None:
    assert check(books()) == []
    assert_holds(books())


def test_a_parked_send_counts_as_ended() -> None:
    endings = rows(occurrences=[PARKED], events=TOLD_UNCERTAIN, endpoints=(), deliveries=(), attempts=())
    assert check(books(endings, provider=[], honours_keys=False)) == []


def test_a_create_that_was_never_answered_promises_nothing() -> None:
    assert check(books(client=[CREATE, Answered("create", "two", at(0), at(1), None)])) == []


def test_a_delete_takes_away_what_a_create_promised() -> None:
    gone = Answered("delete", "two", at(2), at(3), None)
    assert check(books(client=[CREATE, replace(CREATE, external_id="two"), gone])) == []


NEXT = replace(OCCURRENCE, id=uuid4(), seq=2, scheduled_for=at(20), ended_at=at(21))

BREACHES = {
    "I1 an accepted reminder is gone": ("I1", books(client=[CREATE, replace(CREATE, external_id="two")])),
    "I2 a due send waits": (
        "I2",
        books(rows(occurrences=[replace(OCCURRENCE, state="queued", ended_at=None)])),
    ),
    "I2 a send ended too long after the last fault": (
        "I2",
        books(rows(occurrences=[replace(OCCURRENCE, ended_at=at(71))])),
    ),
    "I2 sent, and the provider knows of nothing": ("I2", books(provider=[])),
    "I2 sent, and the provider refused it": ("I2", books(provider=[replace(CALL, message_id=None)])),
    "I2 an active reminder has nothing to wait for": (
        "I2",
        books(rows(reminders=[ReminderRow(REMINDER, "one", "active", 3, "park", False)])),
    ),
    "I3 two messages at a provider that honours keys": (
        "I3",
        books(provider=[CALL, replace(CALL, message_id="msg_2", key=f"{SEND}:1")]),
    ),
    "I3 two messages at one that takes none, parking": (
        "I3",
        books(provider=[CALL, replace(CALL, message_id="msg_2", key=None)], honours_keys=False),
    ),
    "I4 six failures": ("I4", books(rows(occurrences=[replace(OCCURRENCE, failures=6)]))),
    "I4 six failing calls": (
        "I4",
        books(provider=[CALL, *(replace(CALL, message_id=None, failing=True) for _ in range(6))]),
    ),
    "I4 a retry after ten seconds": (
        "I4",
        books(rows(attempts=[AttemptRow(SEND, 1, at(0), "failed"), AttemptRow(SEND, 2, at(10), "accepted")])),
    ),
    "I4 a second retry after thirty seconds": (
        "I4",
        books(rows(attempts=[AttemptRow(SEND, n, at(30 * n), "failed") for n in (1, 2, 3)])),
    ),
    "I4 nine webhook attempts": (
        "I4",
        books(rows(delivery_attempts=[DeliveryAttemptRow(DELIVERY.id, 1, at(n)) for n in range(9)])),
    ),
    "I4 a webhook attempt after a second": (
        "I4",
        books(rows(delivery_attempts=[DeliveryAttemptRow(DELIVERY.id, n, at(n)) for n in (1, 2)])),
    ),
    "I5 a gap in the sequence": ("I5", books(rows(events=(EVENTS[0], replace(EVENTS[1], sequence=4), EVENTS[2])))),
    "I5 the same number twice": ("I5", books(rows(events=(EVENTS[0], replace(EVENTS[1], sequence=1), EVENTS[2])))),
    "I5 a version without its event": (
        "I5",
        books(rows(reminders=[ReminderRow(REMINDER, "one", "completed", 4, "park", False)])),
    ),
    "I5 the second send before the first": (
        "I5",
        books(
            rows(
                occurrences=[OCCURRENCE, NEXT],
                attempts=[ATTEMPT, AttemptRow(NEXT.id, 1, at(9), "accepted")],
                events=(*EVENTS, event(uuid4(), "message.sent", 4, NEXT.id)),
            )
        ),
    ),
    "I6 a call after prevented": ("I6", books(client=[CREATE, cancel("prevented", 10.2)])),
    "I6 an attempt after in_flight": ("I6", books(client=[CREATE, cancel("in_flight", 9)])),
    "I6 in_flight, and there was no call": ("I6", books(rows(attempts=()), client=[CREATE, cancel("in_flight", 11)])),
    "I6 already_sent, before it was": ("I6", books(client=[CREATE, cancel("already_sent", 10.9)])),
    "I7 sent, and no event": ("I7", books(rows(events=(EVENTS[0], replace(EVENTS[1], type="x"), EVENTS[2])))),
    "I7 sent, and told twice": ("I7", books(rows(events=(*EVENTS, replace(EVENTS[1], id=uuid4(), sequence=4))))),
    "I7 told as sent, and cancelled": ("I7", books(rows(occurrences=[replace(OCCURRENCE, state="cancelled")]))),
    "I7 created, and no event": ("I7", books(rows(events=(replace(EVENTS[0], type="x"), *EVENTS[1:])))),
    "I7 completed, and no event": ("I7", books(rows(events=(*EVENTS[:2], replace(EVENTS[2], type="x"))))),
    "I7 never published": ("I7", books(rows(events=(*EVENTS[:2], replace(EVENTS[2], published=False))))),
    "I7 published, and never heard": ("I7", books(heard=[Heard(CREATED, b"{}"), Heard(DELIVERY.id, b"{}", ENDPOINT)])),
    "I7 heard twice, and different": (
        "I7",
        books(heard=[*(books().heard or ()), Heard(CREATED, b'{"other": 1}')]),
    ),
    "I7 no delivery for an endpoint that wants it": ("I7", books(rows(deliveries=()))),
    "I7 two deliveries of one event": ("I7", books(rows(deliveries=[DELIVERY, replace(DELIVERY, id=uuid4())]))),
    "I7 delivered, and never received": ("I7", books(heard=[Heard(one.id, b"{}") for one in EVENTS])),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_each_breach_is_found_and_named(breach: str) -> None:
    invariant, found = BREACHES[breach]
    assert invariant in broken(found)
    with pytest.raises(AssertionError, match=invariant):
        assert_holds(found)


def test_in_flight_and_already_sent_are_believed_where_they_are_true() -> None:
    assert check(books(client=[CREATE, cancel("in_flight", 10.2)])) == []
    assert check(books(client=[CREATE, cancel("already_sent", 11.5)])) == []


def test_a_tenant_that_chose_to_repeat_may_have_doubles_at_a_provider_without_keys() -> None:
    repeats = rows(reminders=[ReminderRow(REMINDER, "one", "completed", 3, "retry", False)])
    twice = [CALL, replace(CALL, message_id="msg_2", key=None)]
    assert check(books(repeats, provider=twice, honours_keys=False)) == []
    assert broken(books(repeats, provider=twice, honours_keys=True)) == {"I3"}


def _samples(*megabytes: float, files: int = 20) -> list[Sample]:
    return [Sample("api", float(n), size, files) for n, size in enumerate(megabytes)]


@pytest.mark.parametrize(
    ("samples", "wrong"),
    [
        (_samples(*[100.0] * 12), False),
        (_samples(*range(100, 112)), False),
        (_samples(*[100.0] * 8, *[150.0] * 4), True),
        (_samples(300.0), True),
        (_samples(100.0, files=600), True),
    ],
)
def test_a_process_that_grows_is_found_i8(samples: list[Sample], wrong: bool) -> None:
    assert bool(list(bounded(samples))) is wrong


def test_whoever_is_slowed_down_by_others_is_found_i9() -> None:
    assert not list(isolated("healthy", [0.1] * 100, [0.19] * 100))
    assert list(isolated("healthy", [0.1] * 100, [0.1] * 90 + [0.3] * 10))
    assert list(isolated("healthy", [], [0.1]))


def test_a_canary_is_found_wherever_it_sings_i10() -> None:
    found = list(no_leak({"key": "sk_live_1", "phone": "+6281"}, {"log": b"a sk_live_1 b", "dump": b"nothing"}))
    assert [(finding.invariant, finding.subject) for finding in found] == [("I10", "log")]
