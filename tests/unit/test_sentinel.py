"""What the sentinel makes of a reminder that could never ring; the result rings, or has ended (decision 2)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.account import CatchUp
from shared.domain.occurrence import State
from shared.domain.plan import Place
from shared.domain.reminder import Status
from shared.domain.schedule import Every, Schedule, Times, Unit
from shared.domain.sentinel import Fault, Lost, mend
from tests.unit.domain_builders import NOON, PARK, caught_up

DAILY = Every(date(2026, 1, 1), Unit.DAY, 1, time(9), "UTC")
HOUR = timedelta(hours=1)


def a_place(seq: int, at: datetime, state: State = State.SENT) -> Place:
    return Place(UUID(int=seq), seq, at, state)


def a_lost(fault: Fault = Fault.NOTHING_LEFT, *places: Place, schedule: Schedule | None = None) -> Lost:
    return Lost(UUID(int=99), UUID(int=3), "visit-7", 4, fault, schedule, places, PARK)


def test_a_recurring_one_gets_its_next_send_b_178() -> None:
    yesterday = a_place(1, NOON - timedelta(hours=27))
    mending = mend(a_lost(Fault.NOTHING_LEFT, yesterday, schedule=DAILY), now=NOON)
    ((seq, planned),) = mending.added
    assert (seq, planned.at, mending.status) == (2, NOON + timedelta(hours=21), Status.ACTIVE)


def test_a_recurring_one_that_has_nothing_at_all_begins_again() -> None:
    ((seq, planned),) = mend(a_lost(schedule=DAILY), now=NOON).added
    assert (seq, planned.at) == (1, NOON + timedelta(hours=21))


@pytest.mark.parametrize("how", list(CatchUp))
def test_what_was_missed_follows_the_rule_of_catching_up_b_264(how: CatchUp) -> None:
    late = NOON.replace(hour=9, minute=30)  # half an hour after a send that nobody planned
    lost = a_lost(Fault.NOTHING_LEFT, a_place(1, NOON.replace(hour=9) - timedelta(days=3)), schedule=DAILY)
    ((_, planned),) = mend(Lost(*(getattr(lost, name) for name in lost.__slots__[:-1]), caught_up(how)), now=late).added
    today = NOON.replace(hour=9)
    assert planned.at == (today + timedelta(days=1) if how is CatchUp.NONE else today)


def test_times_that_were_never_planned_are_planned_within_the_grace() -> None:
    times = Times.of([NOON - 2 * HOUR, NOON - HOUR / 2, NOON + HOUR])
    mending = mend(a_lost(Fault.NOTHING_LEFT, a_place(1, NOON - 2 * HOUR), schedule=times), now=NOON)
    assert [(seq, planned.at) for seq, planned in mending.added] == [(2, NOON - HOUR / 2), (3, NOON + HOUR)]


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([State.SENT, State.SKIPPED], Status.COMPLETED),
        ([State.SKIPPED, State.UNCERTAIN], Status.EXPIRED),
        ([], Status.EXPIRED),
    ],
)
def test_one_whose_sends_have_all_ended_is_ended_b_059(states: list[State], status: Status) -> None:
    places = [a_place(seq, NOON - HOUR, state) for seq, state in enumerate(states, start=1)]
    mending = mend(a_lost(Fault.NOTHING_LEFT, *places), now=NOON)
    assert (mending.how, mending.status, mending.added) == ("ended", status, ())


def test_what_nobody_can_hold_is_freed_and_what_was_put_off_is_due() -> None:
    held, waiting = a_place(1, NOON, State.SENDING), a_place(2, NOON + HOUR, State.SCHEDULED)
    assert mend(a_lost(Fault.HELD, held, waiting), now=NOON).freed == (held.id,)
    assert mend(a_lost(Fault.PUT_OFF, waiting), now=NOON).hastened == (waiting.id,)


def test_sends_out_of_order_are_put_in_order_behind_all_others() -> None:
    later, sooner = a_place(2, NOON + 5 * HOUR, State.SCHEDULED), a_place(3, NOON, State.SCHEDULED)
    mending = mend(a_lost(Fault.OUT_OF_ORDER, a_place(1, NOON - HOUR), later, sooner), now=NOON)
    assert mending.renumbered == ((sooner.id, 4), (later.id, 5))


@given(
    st.sampled_from([None, DAILY, Times.of([NOON - 3 * HOUR, NOON, NOON + HOUR])]),
    st.lists(st.sampled_from([State.SENT, State.SKIPPED, State.UNCERTAIN, State.EXPIRED, State.CANCELLED]), max_size=4),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_whatever_is_left_of_it_it_rings_again_or_has_ended(
    schedule: Schedule | None, states: list[State], passed: timedelta
) -> None:
    places = [a_place(seq, NOON - 3 * HOUR + seq * HOUR, state) for seq, state in enumerate(states, start=1)]
    mending = mend(a_lost(Fault.NOTHING_LEFT, *places, schedule=schedule), now=NOON + passed)
    assert bool(mending.added) == (mending.status is Status.ACTIVE)
    assert all(planned.at >= NOON + passed - PARK.grace for _, planned in mending.added)
    assert not {seq for seq, _ in mending.added} & {place.seq for place in places}
