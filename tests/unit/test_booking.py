"""What an appointment's type, messages and changes make of its sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from unit.domain_builders import NOON

from shared.domain.account import LateBooking
from shared.domain.booking import Booking, MessageType, missed, outdated, replanned, text_of, texts_of
from shared.domain.draft import Draft
from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid
from shared.domain.schedule import Around, Duration, Times

HOUR = timedelta(hours=1)


def around(event: datetime = NOON + 5 * HOUR, before: str = "PT1H", after: str | None = "PT2H") -> Around:
    return Around.of(event.isoformat(), "UTC", Duration.parse(before), Duration.parse(after) if after else None)


def a_draft(schedule: Around) -> Draft:
    texts = {Kind.MAIN: "soon", Kind.FOLLOW_UP: "after", Kind.NO_SHOW: "missed"}
    return Draft(None, Channel.SMS, "+16175550100", schedule, "UTC", texts=texts)


def a_place(kind: Kind, at: datetime, state: State = State.SCHEDULED, seq: int = 1) -> Place:
    return Place(UUID(int=seq), seq, at, state, kind)


def plan(
    places: list[Place], before: Around, after: Around, *, late: LateBooking = LateBooking.SKIP
) -> list[tuple[Kind, datetime, bool]]:
    planned = replanned(places, before=before, draft=a_draft(after), now=NOON, late_booking=late)
    return [(one.kind, one.at, one.skipped is None) for one in planned]


def test_details_are_kept_without_what_was_not_given() -> None:
    """B-211."""
    booking = Booking("type", email="me", metadata={"a": 1}, eligible_only=False)
    assert booking.to_json() == {"event_type": "type", "email": "me", "metadata": {"a": 1}, "eligible_only": False}
    assert Booking.of(booking.to_json()) == booking


def test_every_missing_message_and_value_is_named_c_22_b_252() -> None:
    """C-22, B-252."""
    messages = {MessageType.REMINDER: "{a}", MessageType.CANCELLATION: "{b}"}
    with pytest.raises(Invalid) as invalid:
        texts_of(around(), messages, None)
    assert [(p.field, p.code) for p in invalid.value.problems] == [
        ("metadata.b", "missing_macro_value"),
        ("metadata.a", "missing_macro_value"),
        ("event_type", "missing_message"),
    ]


def test_a_follow_up_message_that_is_not_sent_needs_no_values() -> None:
    """B-225, C-22."""
    messages = {MessageType.REMINDER: "soon", MessageType.FOLLOW_UP: "{a}"}
    assert texts_of(around(after=None), messages, {}) == {MessageType.REMINDER: "soon"}


def test_values_that_make_a_message_too_long_are_refused() -> None:
    """C-21, B-269."""
    with pytest.raises(Invalid, match="longer than 1600"):
        text_of(MessageType.REMINDER, {MessageType.REMINDER: "{a}{a}"}, {"a": "x" * 801})


def test_a_new_time_is_planned_like_a_new_appointments_b_238_b_239() -> None:
    before, after = around(), around(NOON + 9 * HOUR)
    for state in (State.SCHEDULED, State.SENT):
        assert plan([a_place(Kind.MAIN, NOON + 4 * HOUR, state)], before, after) == [
            (Kind.MAIN, NOON + 8 * HOUR, True),
            (Kind.FOLLOW_UP, NOON + 11 * HOUR, True),
        ]


def test_a_time_that_did_not_change_keeps_its_send_however_late_b_238() -> None:
    same = around(NOON + HOUR / 2)
    places = [a_place(Kind.MAIN, same.remind_at), a_place(Kind.FOLLOW_UP, NOON + 2.5 * HOUR, seq=2)]
    assert plan(places, same, same) == [
        (Kind.MAIN, same.remind_at, True),
        (Kind.FOLLOW_UP, NOON + 2.5 * HOUR, True),
    ]


def test_a_late_booking_that_was_sent_at_once_is_not_sent_again_b_233() -> None:
    same = around(NOON + HOUR / 2, after=None)
    sent = a_place(Kind.MAIN, NOON - HOUR / 4, State.SENT)
    assert plan([sent], same, same, late=LateBooking.SEND_NOW) == []


def test_an_event_that_is_moved_away_and_back_is_not_reminded_of_twice_b_233() -> None:
    soon, away = around(NOON + HOUR / 2, after=None), around(NOON + 10 * HOUR, after=None)
    sent = a_place(Kind.MAIN, NOON - HOUR / 4, State.SENT)
    assert plan([sent], soon, away, late=LateBooking.SEND_NOW) == [(Kind.MAIN, NOON + 9 * HOUR, True)]
    waiting = a_place(Kind.MAIN, NOON + 9 * HOUR, seq=2)
    assert plan([sent, waiting], away, soon, late=LateBooking.SEND_NOW) == []


def test_a_follow_up_that_is_asked_for_later_is_planned_b_225() -> None:
    found = plan([a_place(Kind.MAIN, NOON + 4 * HOUR)], around(after=None), around())
    assert found == [(Kind.MAIN, NOON + 4 * HOUR, True), (Kind.FOLLOW_UP, NOON + 7 * HOUR, True)]


def test_a_time_that_moves_into_the_past_is_skipped_b_233() -> None:
    found = plan([a_place(Kind.MAIN, NOON + 4 * HOUR)], around(), around(NOON - HOUR * 9))
    assert [made for *_, made in found] == [False, False]


def test_once_missed_nothing_but_that_message_is_left_b_226() -> None:
    event = around(NOON - HOUR)
    places = [a_place(Kind.FOLLOW_UP, NOON + HOUR, State.CANCELLED), a_place(Kind.NO_SHOW, NOON, seq=2)]
    assert missed(places, event) is places[1]
    assert plan(places, event, replace(event, follow_up_after=Duration.parse("PT9H"))) == [(Kind.NO_SHOW, NOON, True)]
    assert missed(places, around()) is None, "the event was moved past it"
    assert plan(places, event, around()) == [
        (Kind.MAIN, NOON + 4 * HOUR, True),
        (Kind.FOLLOW_UP, NOON + 7 * HOUR, True),
    ]


@pytest.mark.parametrize(
    ("kind", "at", "was_missed", "wanted"),
    [
        (Kind.MAIN, 4, False, False),
        (Kind.MAIN, 4.5, False, False),  # a late booking, sent at once
        (Kind.MAIN, 3, False, True),
        (Kind.MAIN, 5, False, True),
        (Kind.MAIN, 4, True, True),
        (Kind.FOLLOW_UP, 7, False, False),
        (Kind.FOLLOW_UP, 7, True, True),
        (Kind.FOLLOW_UP, 6, False, True),
        (Kind.NO_SHOW, 5, False, False),
        (Kind.NO_SHOW, 4, False, True),
    ],
)
def test_what_was_under_way_when_its_appointment_changed_is_not_tried_again_b_226_b_238(
    kind: Kind, at: float, *, was_missed: bool, wanted: bool
) -> None:
    assert outdated(kind, NOON + at * HOUR, around(), missed=was_missed) is wanted


def test_requests_that_mean_the_same_are_the_same_b_213() -> None:
    """However the event and the offsets are written, and whatever texts are registered."""
    one = a_draft(Around.of("2026-03-08T12:00:00", "America/New_York", Duration.parse("PT1H")))
    schedule = Around.of("2026-03-08 12:00", "America/New_York", Duration.parse("PT60M"))
    assert one.fingerprint() == replace(one, schedule=schedule, texts={}).fingerprint()
    others = [Duration.parse("P1D"), Duration.parse("PT24H")]
    prints = {replace(one, schedule=replace(schedule, remind_before=other)).fingerprint() for other in others}
    prints.add(replace(one, schedule=Times.of([NOON])).fingerprint())
    assert len(prints | {one.fingerprint()}) == 4
