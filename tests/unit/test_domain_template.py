"""Texts with numbered placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.template import BadBody, check_body, placeholders, render


def test_placeholders_are_filled_by_their_number() -> None:
    """B-051."""
    assert render("{{2}}, hello {{1}} and {{ 1 }}", ["Ann", "Dear"]) == "Dear, hello Ann and Ann"


@pytest.mark.parametrize(
    ("body", "count"),
    [("no parameters", 0), ("{{1}}", 1), ("{{1}} {{1}}", 1), ("{{3}} {{1}}", 3), ("{{0}} {{x}} {1} {{1000}}", 0)],
)
def test_a_text_takes_as_many_parameters_as_its_highest_number(body: str, count: int) -> None:
    """B-021, B-051."""
    assert placeholders(body) == count


def test_a_parameter_with_braces_stays_as_it_is() -> None:
    assert render("{{1}} {{2}}", ["{{2}}", r"\1 {{1}}"]) == r"{{2}} \1 {{1}}"


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_text_renders_with_as_many_parameters_as_it_takes(body: str, parameter: str) -> None:
    """B-051."""
    text = "{{1}}" + body
    assert render(text, [parameter] * placeholders(text)).startswith(parameter)


@pytest.mark.parametrize(
    "body", ["Hi {{0}}", "Hi {{x}}", "Hi {{1", "Hi {{1}", "Hi 1}}", "{{}}", "{{ 1 2 }}", "{{-1}}", "{{01}}", "{{101}}"]
)
def test_b_051_braces_that_are_no_placeholder_are_refused(body: str) -> None:
    with pytest.raises(BadBody, match="placeholder"):
        check_body(body)


@pytest.mark.parametrize("body", ["", "Hi", "Hi {{1}}", "{{ 2 }}{{1}}", "{{100}}", "{a} {1}", "{{{1}}}"])
def test_b_051_other_braces_are_text(body: str) -> None:
    check_body(body)
