"""A message is found in Twilio's list by number, sender, text and time, and no other is taken for it (B-263)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.http_call import Answer
from services.dispatcher.twilio_list import found_in, question
from shared.domain.receipt import Report

BEGAN = datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)
FORM = {"To": "+15550001111", "From": "+15550009999", "Body": "Your visit is at nine"}


def a_message(**changes: Any) -> dict[str, Any]:
    return {
        "sid": "SM1",
        "to": FORM["To"],
        "from": FORM["From"],
        "body": FORM["Body"],
        "direction": "outbound-api",
        "status": "delivered",
        "error_code": None,
        "date_created": format_datetime(BEGAN + timedelta(seconds=1)),
        **changes,
    }


def found(*messages: Any) -> list[str]:
    answer = Answer(200, json.dumps({"messages": list(messages)}).encode())
    return [one.message_id for one in found_in(answer, FORM, BEGAN) or ()]


def test_the_question_is_for_the_number_from_the_day_of_the_call_on() -> None:
    assert parse_qs(question(FORM, BEGAN)) == {"To": [FORM["To"]], "DateSent>": ["2026-03-01"], "PageSize": ["20"]}


def test_ours_is_found_nearest_first_with_how_far_it_came() -> None:
    later = format_datetime(BEGAN + timedelta(seconds=40))
    assert found(a_message(sid="SM2", date_created=later), a_message()) == ["SM1", "SM2"]
    answer = Answer(200, json.dumps({"messages": [a_message(status="failed", error_code=30003)]}).encode())
    (one,) = found_in(answer, FORM, BEGAN) or ()
    assert (one.report, one.code) == (Report.FAILED, "30003")


@pytest.mark.parametrize(
    "other",
    [
        {"to": "+15550002222"},
        {"from": "+15550008888"},
        {"body": "Another text"},
        {"body": None},
        {"direction": "inbound"},
        {"sid": None},
        {"date_created": None},
        {"date_created": "soon"},
        {"date_created": format_datetime(BEGAN - timedelta(minutes=2))},
        {"date_created": format_datetime(BEGAN + timedelta(minutes=5))},
    ],
)
def test_another_message_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    assert found(a_message(**other)) == []


def test_a_trial_accounts_own_line_before_the_text_does_not_hide_it() -> None:
    assert found(a_message(body=f"Sent from a trial account - {FORM['Body']}")) == ["SM1"]


@pytest.mark.parametrize("answer", [Answer(500, b""), Answer(200, b"<html>"), Answer(200, b'{"messages": {}}')])
def test_what_is_no_list_says_nothing(answer: Answer) -> None:
    assert found_in(answer, FORM, BEGAN) is None


@given(st.dictionaries(st.sampled_from(sorted(a_message())), st.none() | st.integers() | st.text(max_size=40)))
def test_no_list_breaks_the_reader(changes: dict[str, Any]) -> None:
    found("text", None, a_message(**changes))
