"""Phone numbers: however they are written, one form is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.recipient import BadPhone, dialling_code, phone, phone_in


@pytest.mark.parametrize("code", ["62", "+62", "0062", " +62 "])
@pytest.mark.parametrize(
    "number", ["81234567890", "081234567890", "+6281234567890", "006281234567890", "812-3456-7890"]
)
def test_b_014_b_016_a_number_has_one_form(code: str, number: str) -> None:
    found = phone(code, number)
    assert (found.e164, found.national) == ("+6281234567890", "81234567890")


@pytest.mark.parametrize("number", ["1234567890", "(415) 555-0100"])
def test_a_possible_number_is_enough(number: str) -> None:
    """Validity by numbering plan would refuse a source document's own example."""
    assert phone("+1", number).e164.startswith("+1")


@pytest.mark.parametrize("code", ["", "+", "0", "999", "ID", "６２", "+62 1", "62345"])
def test_b_013_what_is_no_dialling_code_is_refused(code: str) -> None:
    with pytest.raises(BadPhone) as refused:
        dialling_code(code)
    assert refused.value.field == "country_code"


@pytest.mark.parametrize(
    "number", ["", "1", "8" * 40, "CALL", "81234567890;ext=5", "８１２３４５６７８", "+4930123456"]
)
def test_b_016_what_is_no_number_of_that_country_is_refused(number: str) -> None:
    with pytest.raises(BadPhone) as refused:
        phone("+62", number)
    assert refused.value.field == "phone_number"


@given(code=some.text(max_size=8), number=some.text(max_size=40))
def test_nothing_but_our_own_error_comes_of_any_text(code: str, number: str) -> None:
    try:
        found = phone(code, number)
    except BadPhone:
        return
    assert found.e164.startswith("+")
    assert found.e164[1:].isascii()
    assert found.e164[1:].isdigit()


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("1234567890", "+11234567890"),
        ("123-456-7890", "+11234567890"),
        ("11234567890", "+11234567890"),
        ("+1 123 456 7890", "+11234567890"),
        ("(617) 555-0100", "+16175550100"),
        ("1-617-555-0100", "+16175550100"),
        ("+62 812-3456-7890", "+6281234567890"),
        ("006281234567890", "+6281234567890"),
    ],
)
def test_c_24_a_number_without_a_code_is_of_the_region_b_215(written: str, e164: str) -> None:
    """C-24."""
    assert phone_in("US", written).e164 == e164


def test_b_215_another_region_reads_its_own_numbers() -> None:
    assert phone_in("ID", "0812-3456-7890").e164 == "+6281234567890"
    assert phone_in("ID", "+1 617 555 0100").e164 == "+16175550100"


@pytest.mark.parametrize(
    "written", ["", "5550100", "6281234567890", "61755501001", "+", "617+5550100", "x", "+999123456"]
)
def test_c_24_what_is_no_number_there_is_refused(written: str) -> None:
    """C-24, B-215: without its plus a foreign number may be one of ours with a digit too many."""
    with pytest.raises(BadPhone):
        phone_in("US", written)


@given(text=some.text(alphabet="+0123456789 -()./x", max_size=40))
def test_c_24_nothing_but_our_own_error_comes_of_any_text_here_either(text: str) -> None:
    """B-215."""
    try:
        found = phone_in("US", text)
    except BadPhone:
        return
    assert found.e164.startswith("+")
    assert found.e164[1:].isdigit()
