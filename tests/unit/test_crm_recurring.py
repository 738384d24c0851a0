"""Reminders on dates, purely: what the CRM door asks for becomes a draft whose sends come on the right days."""

from __future__ import annotations

from calendar import isleap, monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from builders import a_configuration
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.birthdays import birthday_of, title_of
from services.api.core.contacts import new_contact
from services.api.core.recurring import PAST, Asked, draft_of
from shared.domain.account import Account
from shared.domain.contact import Precision
from shared.domain.draft import Draft
from shared.domain.refusal import Invalid
from shared.domain.schedule import Every, Feb29, Unit, to_json

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ACCOUNT = Account(
    id=uuid4(),
    number=7,
    name="Acme",
    owner_email="owner@example.com",
    time_zone="Europe/Paris",
    reminder_hour=9,
    plan="paid",
    quota=None,
)


def asked(**changes: Any) -> Asked:
    return Asked(**{"title": "Call", "description": None, "on": date(2026, 7, 1), "unit": Unit.DAY, **changes})


def draft(*, now: datetime = NOW, account: Account = ACCOUNT, past_dates: bool = False, **changes: Any) -> Draft:
    return draft_of(asked(**changes), account, a_configuration(), uuid4(), now=now, past_dates=past_dates)


def refused(**changes: Any) -> set[str]:
    with pytest.raises(Invalid) as error:
        draft(**changes)
    return {problem.code for problem in error.value.problems}


def first_date(**changes: Any) -> date:
    planned = draft(**changes).planned(now=changes.get("now", NOW))
    return planned[0].at.astimezone(ZoneInfo(ACCOUNT.time_zone)).date()


def dates(found: Draft, years: int) -> list[date]:
    """The days on which it rings, walked as the scheduler does: from the end of each send to the next."""
    every, at = found.schedule, found.planned(now=NOW)[0].at
    assert isinstance(every, Every)
    walked = [at]
    while at < NOW + timedelta(days=366 * years):
        at = every.following(at, now=at, grace=timedelta(hours=1))
        walked.append(at)
    local = [moment.astimezone(ZoneInfo(every.time_zone)) for moment in walked]
    assert {moment.hour for moment in local} == {ACCOUNT.reminder_hour}
    return [moment.date() for moment in local]


@pytest.mark.parametrize(("policy", "otherwise"), [(None, (2, 28)), (Feb29.FEB28, (2, 28)), (Feb29.MAR1, (3, 1))])
def test_b_176_a_birthday_on_29_february_is_right_for_400_years(
    policy: Feb29 | None, otherwise: tuple[int, int]
) -> None:
    found = dates(draft(on=date(1984, 2, 29), unit=Unit.YEAR, feb29=policy), 400)
    assert [day.year for day in found] == list(range(2027, 2027 + len(found)))
    assert len(found) > 400
    assert all((day.month, day.day) == ((2, 29) if isleap(day.year) else otherwise) for day in found)


def test_b_206_the_31st_of_each_month_is_right_for_400_years() -> None:
    found = dates(draft(on=date(2025, 1, 31), unit=Unit.MONTH), 400)
    assert len(found) > 4_800
    assert all(day.day == monthrange(day.year, day.month)[1] for day in found)
    assert all((after.year - day.year) * 12 + after.month - day.month == 1 for day, after in pairwise(found))


@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.sampled_from(Unit), st.integers(1, 60), st.sampled_from(Feb29)
)
def test_b_170_a_reminder_comes_so_many_units_apart_and_first_when_its_hour_is_to_come(
    on: date, unit: Unit, number: int, feb29: Feb29
) -> None:
    """B-196: a date that is over is rolled forward from its anchor, which stays."""
    found = draft(on=on, unit=unit, number=number, feb29=feb29)
    every = found.schedule
    assert isinstance(every, Every)
    assert every.anchor == on
    (planned,) = found.planned(now=NOW)
    assert planned.at >= NOW
    place = next(n for n in range(100_000) if every.nth(n) >= NOW) if unit is not Unit.DAY else None
    assert place is None or planned.at == every.nth(place)
    assert place in {None, 0} or (place is not None and every.nth(place - 1) < NOW)


def test_b_169_a_day_is_a_day() -> None:
    """Monica's first code counted years."""
    assert first_date(on=date(2018, 9, 9), number=3) <= date(2026, 6, 4)
    assert (first_date(on=date(2018, 9, 9), number=3) - date(2018, 9, 9)).days % 3 == 0


def test_b_196_today_is_to_come_until_the_reminder_hour_has_passed() -> None:
    before, after = datetime(2026, 6, 1, 6, 59, tzinfo=UTC), datetime(2026, 6, 1, 7, 1, tzinfo=UTC)
    today = date(2026, 6, 1)
    assert first_date(on=today, unit=Unit.WEEK, now=before) == today
    assert first_date(on=today, unit=Unit.WEEK, now=after) == date(2026, 6, 8)
    assert first_date(on=today, unit=None, now=before) == today
    assert refused(on=today, unit=None, now=after) == {PAST}
    assert first_date(on=today, unit=None, now=after, past_dates=True) == today


def test_b_184_the_hour_is_the_accounts_on_both_sides_of_a_change_of_the_clocks() -> None:
    summer, winter = (draft(on=day, unit=None).planned(now=NOW)[0].at for day in (date(2026, 7, 1), date(2026, 12, 1)))
    assert (summer.hour, winter.hour) == (7, 8)


def test_b_184_a_single_date_is_kept_as_the_wall_clock_shows_it() -> None:
    assert to_json(draft(on=date(2026, 7, 1), unit=None).schedule)["send_times"] == ["2026-07-01T09:00:00"]


def test_b_177_without_an_owner_there_is_nobody_to_write_to_and_every_problem_is_told() -> None:
    nobody = replace(ACCOUNT, owner_email=None)
    assert refused(account=nobody) == {"no_owner_email"}
    assert refused(account=nobody, on=date(2018, 9, 9), unit=None) == {"no_owner_email", PAST}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("unit", [None, *Unit])
def test_b_195_the_ends_of_the_calendar_are_refused_or_taken_and_never_break(zone: str, unit: Unit | None) -> None:
    account = replace(ACCOUNT, time_zone=zone, reminder_hour=23)
    for on in (date(1, 1, 1), date(9999, 12, 31)):
        for number in (1, 9_999):
            try:
                draft(account=account, on=on, unit=unit, number=number)
            except Invalid as refusal:
                assert {problem.field for problem in refusal.problems} == {"next_expected_date"}  # noqa: PT017


def test_b_174_only_an_exact_birthdate_is_a_birthday() -> None:
    born = date(1983, 10, 23)
    contact = new_contact(ACCOUNT.id, now=NOW, birthdate=born, birthdate_precision=Precision.EXACT)
    assert birthday_of(contact) == born
    for precision in (Precision.APPROXIMATE, Precision.UNKNOWN):
        assert birthday_of(replace(contact, birthdate_precision=precision)) is None


def test_b_175_a_birthdays_title_wishes_the_person_well_by_name() -> None:
    contact = new_contact(ACCOUNT.id, now=NOW, first_name="Jean", last_name="Valjean")
    assert title_of(contact) == "Wish Jean Valjean a happy birthday"
    assert title_of(replace(contact, last_name=None)) == "Wish Jean a happy birthday"
    assert "+62" in title_of(new_contact(ACCOUNT.id, now=NOW, phone="+6281234567890"))
