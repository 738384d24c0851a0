"""The items dialect's translation: bodies to drafts, filters to searches. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from services.api.dialects.items import filters, translate, wire
from shared.domain.draft import Draft
from shared.domain.refusal import Invalid
from shared.domain.schedule import Times
from tests.builders import a_configuration, a_reminder


def _draft(default_zone: str = "UTC", **changes: Any) -> Draft:
    body = wire.NewReminder.model_validate_json(json.dumps(a_reminder(**changes)))
    return translate.to_draft(body, a_configuration(time_zone=default_zone), external_id="rem-1")


def _instants(default_zone: str = "UTC", **changes: Any) -> tuple[datetime, ...]:
    schedule = _draft(default_zone, **changes).schedule
    assert isinstance(schedule, Times)
    return schedule.instants


def test_b_031_the_fingerprint_is_that_of_the_meaning() -> None:
    times = ["2031-01-01T09:00:00+07:00", "2031-01-02T09:00:00+07:00"]
    one = _draft(sendTimes=times)
    assert one.fingerprint() == _draft(sendTimes=["2031-01-02T02:00:00Z", times[0]]).fingerprint()
    assert one.fingerprint() == _draft(sendTimes=times, countryCode="62", phoneNumber="081234567890").fingerprint()
    others = [
        {"sendTimes": times[:1]},
        {"recipientName": None},
        {"templateParameters": ["Rp 1.500.000 31 Mei 2025"]},
        {"timezone": "UTC"},
    ]
    for change in others:
        assert one.fingerprint() != _draft(**({"sendTimes": times} | change)).fingerprint()


def test_b_024_a_naive_time_needs_a_zone_and_has_one() -> None:
    naive = ["2031-01-01T09:00:00"]
    assert _instants(sendTimes=naive, timezone=...)[0].hour == 9
    assert _instants("Asia/Jakarta", sendTimes=naive, timezone=...)[0].hour == 2
    assert _instants("Asia/Jakarta", sendTimes=naive, timezone="UTC")[0].hour == 9


def test_a_time_that_only_the_zone_pushes_out_of_the_calendar_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        _draft("Asia/Jakarta", sendTimes=["2031-01-01T00:00:00Z", "0001-01-01T00:00:00"], timezone=...)
    assert [problem.field for problem in refused.value.problems] == ["sendTimes.1"]


def _filters(**query: str) -> wire.ListQuery:
    return wire.ListQuery.model_validate(query)


def test_b_080_a_day_runs_from_midnight_to_midnight_of_the_accounts_zone() -> None:
    wanted = filters.to_filter(_filters(dateFrom="2031-05-01", dateTo="2031-05-01"), account_zone="Asia/Jakarta")
    assert wanted.created_from is not None
    assert wanted.created_before is not None
    assert wanted.created_from.isoformat() == "2031-04-30T17:00:00+00:00"
    assert wanted.created_before.isoformat() == "2031-05-01T17:00:00+00:00"


def test_all_that_is_wrong_with_a_filter_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        filters.to_filter(_filters(dateFrom="x", dateTo="y", phoneNumber="z"), account_zone="UTC")
    assert {problem.field for problem in refused.value.problems} == {"dateFrom", "dateTo", "phoneNumber"}
