"""When the messages of a campaign go out, and what becomes of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from shared.domain.campaign import (
    Campaign,
    CampaignStatus,
    CampaignType,
    Where,
    faults,
    instants_before,
    may_become,
    replans,
    times_to_send,
)
from shared.domain.contact import Due
from shared.domain.draft import Category
from shared.domain.occurrence import State
from shared.domain.plan import Place
from shared.domain.recipient import Channel
from shared.domain.schedule import DEFAULT_DST, Duration

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONDON = Where(ZoneInfo("Europe/London"), 9, DEFAULT_DST)


def offsets(*texts: str) -> tuple[Duration, ...]:
    return tuple(map(Duration.parse, texts))


def a_campaign(**changes: Any) -> Campaign:
    recurring = Campaign(
        id=uuid4(),
        account_id=uuid4(),
        name="Check-up",
        type=CampaignType.RECURRING,
        status=CampaignStatus.RUNNING,
        channel=Channel.SMS,
        category=Category.MARKETING,
        subject=None,
        body="See you!",
        offsets=offsets("P7D", "PT3H"),
        send_at=None,
        sequence=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(recurring, **changes)


def one_off(**changes: Any) -> Campaign:
    return a_campaign(type=CampaignType.ONE_OFF, offsets=(), **changes)


def a_date(text: str) -> Due:
    return Due(text, datetime.fromisoformat(f"{text}T00:00:00+00:00"))


def place(at: datetime, state: State) -> Place:
    return Place(uuid4(), 1, at, state)


def test_b_098_a_date_is_due_at_the_hour_of_the_account_where_the_contact_is() -> None:
    """Days are of the wall clock: on 29 March the clocks of London go forward."""
    assert instants_before(a_date("2026-04-01"), offsets("P7D", "PT3H"), LONDON) == (
        datetime(2026, 3, 25, 9, tzinfo=UTC),
        datetime(2026, 4, 1, 5, tzinfo=UTC),
    )


def test_b_098_a_time_is_due_at_its_instant() -> None:
    due = Due("2026-04-01T10:30:00Z", datetime(2026, 4, 1, 10, 30, tzinfo=UTC))
    assert instants_before(due, offsets("PT30M"), LONDON) == (datetime(2026, 4, 1, 10, tzinfo=UTC),)


def test_what_falls_off_the_calendar_is_left_out() -> None:
    assert instants_before(a_date("0001-01-02"), offsets("P7D", "PT1H"), LONDON)[:-1] == ()


def test_b_135_nothing_is_planned_in_the_past_and_what_waits_there_stays() -> None:
    campaign, due = a_campaign(), a_date("2026-03-06")
    past, ahead = datetime(2026, 2, 27, 9, tzinfo=UTC), datetime(2026, 3, 6, 6, tzinfo=UTC)
    assert times_to_send(campaign, due, LONDON, (), now=NOW) == (ahead,)
    for state in (State.QUEUED, State.SENT, State.SENDING):
        assert times_to_send(campaign, due, LONDON, [place(past, state)], now=NOW) == (past, ahead)
    assert times_to_send(campaign, due, LONDON, [place(past, State.CANCELLED)], now=NOW) == (ahead,)


def test_a_contact_with_nothing_due_is_sent_nothing() -> None:
    assert times_to_send(a_campaign(), None, LONDON, (), now=NOW) == ()


def test_a_completed_campaign_plans_nothing() -> None:
    for campaign in (a_campaign(status=CampaignStatus.COMPLETED), one_off(status=CampaignStatus.COMPLETED)):
        assert times_to_send(campaign, a_date("2026-05-01"), LONDON, (), now=NOW) == ()


def test_b_135_a_one_off_campaign_sends_at_once_or_at_its_time() -> None:
    later = NOW + timedelta(hours=1)
    assert times_to_send(one_off(), None, LONDON, (), now=NOW) == (NOW,)
    assert times_to_send(one_off(send_at=later), None, LONDON, (), now=NOW) == (later,)
    assert times_to_send(one_off(send_at=NOW - timedelta(days=1)), None, LONDON, (), now=NOW) == (NOW,)


def test_b_136_what_a_one_off_campaign_has_sent_or_holds_ready_stays_the_only_one() -> None:
    before, later = NOW - timedelta(minutes=1), NOW + timedelta(hours=1)
    for state in (State.SENT, State.SENDING, State.SKIPPED, State.UNCERTAIN):
        sent = [place(before, state)]
        assert times_to_send(one_off(send_at=later), None, LONDON, sent, now=NOW) == (before,)
    assert times_to_send(one_off(), None, LONDON, [place(before, State.SCHEDULED)], now=NOW) == (before,)
    assert times_to_send(one_off(), None, LONDON, [place(later, State.SCHEDULED)], now=NOW) == (NOW,)


@pytest.mark.parametrize(
    ("campaign", "field"),
    [
        (a_campaign(offsets=()), "offsets"),
        (a_campaign(send_at=NOW), "send_at"),
        (replace(one_off(), offsets=offsets("P1D")), "offsets"),
        (a_campaign(body="a" * 1_601), "body"),
    ],
)
def test_b_098_what_does_not_go_together_is_named(campaign: Campaign, field: str) -> None:
    assert [fault for fault, _ in faults(campaign)] == [field]


def test_b_098_what_goes_together_is_taken() -> None:
    assert not faults(a_campaign()) + faults(one_off()) + faults(a_campaign(channel=Channel.EMAIL, body="a" * 5_000))


def test_b_096_a_completed_campaign_stays_so_and_none_becomes_a_draft_again() -> None:
    reachable = {(a.value, b.value) for a in CampaignStatus for b in CampaignStatus if a is not b and may_become(a, b)}
    assert reachable == {
        ("draft", "running"),
        ("draft", "completed"),
        ("running", "paused"),
        ("running", "completed"),
        ("paused", "running"),
        ("paused", "completed"),
    }
    assert all(may_become(status, status) for status in CampaignStatus)


def test_only_what_changes_a_message_or_its_time_makes_plans_stale() -> None:
    campaign = a_campaign()
    assert not replans(campaign, replace(campaign, name="Other", status=CampaignStatus.PAUSED))
    assert replans(campaign, replace(campaign, status=CampaignStatus.COMPLETED))
    for changed in ({"body": "Hello"}, {"offsets": offsets("P1D")}, {"channel": Channel.EMAIL}, {"subject": "Hi"}):
        assert replans(campaign, replace(campaign, **changed))
