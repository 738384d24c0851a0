"""The list of behaviours: what counts as naming one, and what the list says."""

from __future__ import annotations

from pathlib import Path

import pytest
from behaviours import ALL, main, mentions, named, ranges, wanted

# Written in two parts, so that this file names none of them itself.
B, C = "B-", "C-"

SUITE = f'''
"""A module that speaks of {B}001."""

import pytest

TABLE = [("a", "{B}011"), ("b", "{B}012")]
UNUSED = ["{B}013"]


def helper():
    """Speaks of {B}002."""


def test_by_docstring():
    """{B}003: something, and {B}004..{B}006."""


def test_by_name_b_007_b_018():
    pass


@pytest.mark.parametrize("case", [1], ids=["{B}008 a case"])
def test_by_id(case):
    pass


@pytest.mark.parametrize(("case", "number"), TABLE)
async def test_by_table(case, number):
    pass


# {B}014 is far away.

# {B}009 and
# {C}3 are on the test.
@pytest.mark.slow
def test_by_comment():
    assert True  # {B}010


class TestFamily:
    """{B}015."""

    def test_in_a_family(self):
        pass
'''


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    tmp_path.joinpath("unit").mkdir()
    tmp_path.joinpath("unit", "test_things.py").write_text(SUITE)
    tmp_path.joinpath("unit", "builders.py").write_text(f'def test_not_collected():\n    """{B}016."""\n')
    tmp_path.joinpath("contract").mkdir()
    tmp_path.joinpath("contract", "create.json").write_text(f'{{"behaviours": ["{B}017"]}}')
    return tmp_path


def test_a_number_is_named_by_what_belongs_to_a_test_and_by_nothing_else(suite: Path) -> None:
    found = {number: [test.split("::")[-1] for test in tests] for number, tests in named(suite).items()}
    assert found == {
        f"{B}003": ["test_by_docstring"],
        f"{B}004": ["test_by_docstring"],
        f"{B}005": ["test_by_docstring"],
        f"{B}006": ["test_by_docstring"],
        f"{B}007": ["test_by_name_b_007_b_018"],
        f"{B}008": ["test_by_id"],
        f"{B}009": ["test_by_comment"],
        f"{B}010": ["test_by_comment"],
        f"{B}011": ["test_by_table"],
        f"{B}012": ["test_by_table"],
        f"{B}015": ["test_in_a_family"],
        f"{B}017": ["contract/create.json"],
        f"{B}018": ["test_by_name_b_007_b_018"],
        f"{C}3": ["test_by_comment"],
    }


@pytest.mark.parametrize("text", [f"{B}000", f"{B}273", f"{B}0031", f"{C}12", f"A{B}001", f"{B}31"])
def test_what_is_no_number_of_ours_is_none(text: str) -> None:
    assert mentions(text) == set()


def test_there_are_272_behaviours() -> None:
    assert (len(ALL), ALL[0], ALL[-1]) == (272, f"{B}001", f"{B}272")


def test_the_list_shows_tests_and_what_is_open(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1..4", f"{C}3"], suite) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{B}001  open",
        f"{B}002  open",
        f"{B}003  unit/test_things.py::test_by_docstring",
        f"{B}004  unit/test_things.py::test_by_docstring",
        f"{C}3    unit/test_things.py::test_by_comment",
        "",
        f"Open: {B}001..{B}002",
        "13 of 272 named by a test; of the 17 beyond them, 1",
    ]


def test_strictness_asks_for_every_number_of_its_ranges(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--strict", "3..12"], suite) == 0
    assert main(["--strict", "3..14", "17"], suite) == 1
    assert capsys.readouterr().err == f"open, but wanted: {B}013..{B}014\n"


def test_a_door_is_a_range(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wanted(["items"]) == wanted([f"{B}047..{B}085"]) == wanted(["47..85"])
    assert main(["--door", "crm"], suite) == 0
    assert f"Open: {B}167..{B}206\n" in capsys.readouterr().out


def test_a_range_that_does_not_exist_is_refused(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["270..280"], suite)
    assert "270..280 is neither a door" in capsys.readouterr().err


def test_neighbours_are_drawn_together() -> None:
    assert ranges([f"{B}003", f"{B}001", f"{B}002", f"{B}272", f"{C}1"]) == f"{B}001..{B}003, {B}272, {C}1"
    assert ranges([]) == "none"
