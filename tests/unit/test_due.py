"""When contacts are due: reading dates, anchoring intervals, moving on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.api.core.contacts import new_contact
from shared.domain.contact import Contact, Interval, IntervalUnit
from shared.domain.contact_change import ContactGiven, changed_by
from shared.domain.due import MOST_TOLD, advanced, read_due
from shared.domain.refusal import Invalid
from shared.domain.schedule import BadTime

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
ACCOUNT_ZONE = "Europe/London"


def a_contact(due: str | None, value: int = 1, unit: str = "months", **fields: Any) -> Contact:
    """A recurrent contact, as a caller would make it."""
    return given_to(new_contact(uuid4(), now=NOW), {"next_due": due, **fields}, value, unit)


def given_to(known: Contact, fields: dict[str, Any], value: int = 1, unit: str = "months") -> Contact:
    given_by_caller = ContactGiven(fields=fields, is_recurrent=True, interval={"value": value, "unit": unit})
    return changed_by(known, given_by_caller, account_zone=ACCOUNT_ZONE)


def due_dates(contact: Contact, count: int) -> list[str]:
    """Those that follow, each taken the moment its day is over."""
    found = []
    for _ in range(count):
        assert contact.advance_at is not None
        contact, missed = advanced(contact, account_zone=ACCOUNT_ZONE, now=contact.advance_at)
        assert missed == ()
        assert contact.next_due is not None
        found.append(contact.next_due.text)
    return found


def test_b_115_month_ends_are_counted_from_the_first_day_and_do_not_drift() -> None:
    dates = due_dates(a_contact("2027-12-31"), 5)
    assert dates == ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"]
    assert due_dates(a_contact("2028-02-29", 1, "years"), 4)[-2:] == ["2031-02-28", "2032-02-29"]
    assert due_dates(a_contact("2028-02-28", 2, "days"), 2) == ["2028-03-01", "2028-03-03"]


def test_b_115_a_date_that_a_caller_repeats_keeps_its_anchor() -> None:
    contact = a_contact("2026-01-31")
    contact, _ = advanced(contact, account_zone=ACCOUNT_ZONE, now=datetime(2026, 2, 1, tzinfo=UTC))
    assert contact.next_due is not None
    assert contact.next_due.text == "2026-02-28"
    repeated = given_to(contact, {"next_due": "2026-02-28"})
    assert due_dates(repeated, 1) == ["2026-03-31"]
    assert due_dates(given_to(contact, {"next_due": "2026-02-27"}), 1) == ["2026-03-27"]


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        (None, "2026-04-15T23:00:00+00:00"),
        ("Asia/Tokyo", "2026-04-15T15:00:00+00:00"),
        ("America/New_York", "2026-04-16T04:00:00+00:00"),
    ],
)
def test_b_116_the_day_ends_where_the_contact_is_else_where_the_account_is(zone: str | None, ends: str) -> None:
    contact = a_contact("2026-04-15", time_zone=zone)
    assert contact.advance_at is not None
    assert contact.advance_at.isoformat() == ends


def test_b_114_several_missed_dates_roll_to_the_first_whose_day_is_not_over() -> None:
    contact = a_contact("2025-03-15", 1, "months")
    moved, missed = advanced(contact, account_zone="UTC", now=datetime(2025, 7, 15, 9, tzinfo=UTC))
    assert moved.next_due is not None
    assert moved.next_due.text == "2025-07-15"
    assert missed == (date(2025, 4, 15), date(2025, 5, 15), date(2025, 6, 15))
    assert moved.advance_at is not None
    assert moved.advance_at > datetime(2025, 7, 15, 9, tzinfo=UTC)


def test_b_114_of_very_many_missed_dates_the_newest_are_listed() -> None:
    moved, missed = advanced(a_contact("1900-01-01", 1, "days"), account_zone="UTC", now=NOW)
    assert moved.next_due is not None
    assert moved.next_due.text == "2026-03-01"
    assert (len(missed), missed[-1]) == (MOST_TOLD, date(2026, 2, 28))


def test_b_105_a_time_of_day_stays_what_the_clock_shows_and_is_written_as_before() -> None:
    """London's clocks go forward on 29 March 2026."""
    for text, later in (
        ("2026-03-01T09:00:00+00:00", "2026-04-01T09:00:00+01:00"),
        ("2026-03-01T09:00:00Z", "2026-04-01T08:00:00Z"),
        ("2026-03-01T09:00", "2026-04-01T09:00"),
        ("2026-03-01", "2026-04-01"),
    ):
        assert due_dates(a_contact(text), 1) == [later]


def test_b_117_without_a_date_it_is_an_interval_after_the_last_service_or_refused() -> None:
    derived = a_contact(None, 1, "months", last_service="2026-01-31")
    assert derived.next_due is not None
    assert derived.next_due.text == "2026-02-28"
    assert due_dates(derived, 1) == ["2026-03-31"]
    with pytest.raises(Invalid) as refused:
        a_contact(None)
    assert refused.value.problems[0].field == "next_due_at"


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("2026-07-31T09:00", "2026-07-31T08:00+00:00", "2026-07-31T13:00+00:00"),
        ("2026-07-31T09:00+01:00", "2026-07-31T08:00+00:00", "2026-07-31T08:00+00:00"),
        ("2026-07-31", "2026-07-31T00:00+00:00", "2026-07-31T00:00+00:00"),
    ],
)
def test_b_105_b_270_a_contact_that_moves_is_due_when_the_clock_there_says_so(
    text: str, before: str, after: str
) -> None:
    """B-115: and its month ends go on as they were; reminders went out at four in the morning."""
    known = a_contact(text, last_service=text)
    moved = given_to(known, {"time_zone": "America/New_York"})
    for contact, at in ((known, before), (moved, after)):
        assert contact.next_due is not None
        assert contact.last_service is not None
        assert contact.next_due.at == contact.last_service.at == datetime.fromisoformat(at)
        assert (contact.next_due.text, contact.due_anchor) == (text, date(2026, 7, 31))
    assert moved.advance_at == datetime(2026, 8, 1, 4, tzinfo=UTC)


def test_b_118_switched_off_the_date_stays_and_the_interval_goes() -> None:
    contact = a_contact("2026-04-15")
    off = changed_by(contact, ContactGiven(fields={}, is_recurrent=False), account_zone=ACCOUNT_ZONE)
    assert off == replace(contact, interval=None, due_anchor=None, advance_at=None)


def test_b_112_an_interval_changes_in_parts_and_is_whole() -> None:
    contact = a_contact("2026-04-15", 2, "days")
    changed = changed_by(contact, ContactGiven(fields={}, interval={"value": 3}), account_zone=ACCOUNT_ZONE)
    assert changed.interval == Interval(3, IntervalUnit.DAYS)
    for wrong in (
        (contact, ContactGiven(fields={}, interval={"unit": None})),
        (new_contact(uuid4(), now=NOW), ContactGiven(fields={}, interval={"value": 3, "unit": "days"})),
        (new_contact(uuid4(), now=NOW), ContactGiven(fields={}, is_recurrent=True, interval={"value": 3})),
    ):
        with pytest.raises(Invalid):
            changed_by(*wrong, account_zone=ACCOUNT_ZONE)


@given(
    day=some.dates(date(1900, 1, 2), date(9890, 1, 1)),
    value=some.integers(1, 999),
    unit=some.sampled_from(["days", "months", "years"]),
    late=some.timedeltas(timedelta(0), timedelta(days=3000)),
    zone=some.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Europe/London"]),
)
def test_b_113_whenever_it_is_looked_at_the_next_day_is_not_over_and_none_is_between(
    day: date, value: int, unit: str, late: timedelta, zone: str
) -> None:
    contact = a_contact(day.isoformat(), value, unit, time_zone=zone)
    assert contact.advance_at is not None
    now = min(contact.advance_at + late, datetime(9899, 12, 31, tzinfo=UTC))
    try:
        moved, missed = advanced(contact, account_zone="UTC", now=now)
    except BadTime:
        return
    assert moved.next_due is not None
    assert moved.advance_at is not None
    today = now.astimezone(ZoneInfo(zone)).date()
    due = date.fromisoformat(moved.next_due.text)
    assert due >= today
    assert due > day
    assert moved.advance_at > now
    assert list(missed) == sorted(set(missed))
    assert all(day < one < today for one in missed)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-3-1", "2026-02-30", "2026-02-28T25:00", "1899-12-31", "9900-01-01", "20260301T0900Z"]
)
def test_b_105_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        read_due(text, UTC_ZONE)
