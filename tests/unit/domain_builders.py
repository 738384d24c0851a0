"""Values that decisions are made from: valid by default, change what matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.occurrence import Kind, Occurrence, State
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.reminder import Progress, Status
from shared.domain.settlement import Case

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARK = Policy(grace=timedelta(hours=1), catch_up=None, on_unknown=OnUnknown.PARK)
RETRY = replace(PARK, on_unknown=OnUnknown.RETRY)


def caught_up(how: CatchUp | None) -> Policy:
    return replace(PARK, catch_up=how)


def an_occurrence(**changes: Any) -> Occurrence:
    """The first call of a send planned for noon, at a provider that honours keys."""
    first_call = Occurrence(
        id=UUID(int=1),
        reminder_id=UUID(int=2),
        seq=1,
        kind=Kind.MAIN,
        scheduled_for=NOON,
        state=State.SENDING,
        attempt=1,
        failures=0,
        key_epoch=0,
        takes_key=True,
    )
    return replace(first_call, **changes)


def a_progress(**changes: Any) -> Progress:
    """An active reminder whose only send time is the one that is looked at."""
    alone = Progress(
        id=UUID(int=2),
        account_id=UUID(int=3),
        external_id="invoice-42",
        channel="sms",
        status=Status.ACTIVE,
        sequence=1,
        last_send_at=None,
        last_attempts=0,
        sent_elsewhere=0,
        unfinished_elsewhere=0,
    )
    return replace(alone, **changes)


def a_case(**changes: Any) -> Case:
    case = Case(
        occurrence=an_occurrence(),
        progress=a_progress(),
        policy=PARK,
        next_send_at=None,
        attempt_id=UUID(int=4),
        provider="http",
        started_at=NOON,
    )
    return replace(case, **changes)


_waits = st.none() | st.timedeltas(timedelta(0), timedelta(days=2))

outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Accepted, st.none() | st.just("m-1")),
    st.builds(Rejected, st.just("refused"), opted_out=st.booleans()),
    st.builds(Failed, st.just("failed"), retry_after=_waits, counts=st.booleans(), ambiguous=st.booleans()),
    st.builds(Unknown, st.just("no answer")),
    st.builds(Unavailable, st.just("bad credentials")),
)
randoms = st.floats(0, 1, exclude_max=True)
policies = st.builds(
    Policy,
    grace=st.timedeltas(timedelta(minutes=1), timedelta(days=1)),
    catch_up=st.none() | st.sampled_from(CatchUp),
    on_unknown=st.sampled_from(OnUnknown),
)
