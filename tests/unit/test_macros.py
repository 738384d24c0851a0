"""Texts that are filled in from a contact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.api.core.contacts import new_contact
from shared.domain.contact import Contact, Due
from shared.domain.macros import BadText, check_text, fill

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def somebody(**given: Any) -> Contact:
    return new_contact(uuid4(), now=NOW, **{"first_name": "John", "last_name": "Smith", **given})


def test_b_098_a_text_is_filled_in_from_the_contact() -> None:
    john = somebody(phone="+447912345678", next_due=Due("2026-07-15", NOW), custom_fields={"car": "Mini", "visits": 3})
    text = "{first_name} {last_name} {phone}: {next_due_at}, {custom.car}, {custom.visits}{custom.nothing}{email}."
    assert fill(text, john, LONDON) == "John Smith +447912345678: 2026-07-15, Mini, 3."


def test_b_098_a_time_is_told_as_the_clock_of_the_contact_shows_it() -> None:
    john = somebody(next_due=Due("2026-07-15T12:00:00Z", datetime(2026, 7, 15, 12, tzinfo=UTC)))
    assert fill("{next_due_at}", john, LONDON) == "2026-07-15 13:00"


def test_what_a_contact_is_called_is_never_filled_in_again() -> None:
    assert fill("{first_name}", somebody(first_name="{last_name}"), LONDON) == "{last_name}"


def test_b_098_a_custom_field_of_any_length_makes_no_text_of_any_length() -> None:
    """Else 10,000 characters of a campaign would be 64 million of a mail, for each contact and offset."""
    long = somebody(custom_fields={"a": "x" * 64_000, "b": ["y" * 64_000]})
    assert fill("{custom.a}", long, LONDON) == "x" * 1_999 + "…"
    assert len(fill("{custom.b}{custom.a}", long, LONDON)) == 4_000


@pytest.mark.parametrize("text", ["{name}", "{}", "{custom.}", "{{first_name}}", "a { b", "a } b", "{first_name"])
def test_braces_that_no_contact_fills_are_refused(text: str) -> None:
    with pytest.raises(BadText):
        check_text(text)


@pytest.mark.parametrize("text", ["", "plain", "{first_name}{custom.x y}", "{next_due_at}"])
def test_macros_are_taken(text: str) -> None:
    check_text(text)
