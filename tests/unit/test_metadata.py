"""Texts that a reminder's metadata fills."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.metadata import BadMacro, MissingValue, check_macros, fill, macros


def test_c_22_macros_are_named_once_in_the_order_of_the_text() -> None:
    """C-22."""
    assert macros("{b} and {a}, {b}") == ("b", "a")
    assert macros("none") == ()


@pytest.mark.parametrize(
    ("value", "written"), [("New York", "New York"), (3, "3"), (1.5, "1.5"), (True, "true"), (False, "false"), ("", "")]
)
def test_every_scalar_has_its_spelling(value: Any, written: str) -> None:
    """C-22, B-232."""
    assert fill("In {eventLocation}!", {"eventLocation": value}) == f"In {written}!"


def test_a_values_own_braces_stay_as_they_are() -> None:
    """C-22."""
    assert fill("{a}{b}", {"a": "{b}", "b": "{a}"}) == "{b}{a}"


def test_all_names_without_a_value_are_told() -> None:
    """C-22: null is no value."""
    with pytest.raises(MissingValue) as missing:
        fill("{a} {b} {c} {a}", {"b": 1, "c": None})
    assert missing.value.names == ("a", "c")


@pytest.mark.parametrize("text", ["{", "}", "{}", "{{a}}", "{a b}", "{1a}", "{a", "a}", "{é}", "{" + "a" * 101 + "}"])
def test_braces_that_are_no_macro_are_refused(text: str) -> None:
    """C-22."""
    with pytest.raises(BadMacro):
        check_macros(text)


@given(some.text(alphabet="{}ab \n"))
def test_a_text_that_is_accepted_has_no_brace_left_when_it_is_filled(text: str) -> None:
    """C-22."""
    try:
        check_macros(text)
    except BadMacro:
        return
    filled = fill(text, dict.fromkeys(macros(text), "x"))
    assert "{" not in filled
    assert "}" not in filled
