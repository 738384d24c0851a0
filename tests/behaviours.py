"""`make behaviours`: which of the numbered behaviours are named by a test, and which are still open.

Each thing that Belltower promises has a number: B-001 … B-272, and C-1 … C-11 and C-20 … C-25 beyond them. A test names
a number, as `B-031` or as a range `B-031..B-034`,
  - in its own docstring, or in its class's;
  - in its name: `test_…_b_031`;
  - in its decorators, or in a table of the module that they mention: ids and values of `parametrize`;
  - in a comment inside it, or in the comment lines right above it.
A request-and-response file below `tests/contract/` names the numbers that its text holds. A module's docstring, or a
helper's, names nothing.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).parent

DOORS: Mapping[str, range] = {
    "integration": range(1, 47),
    "items": range(47, 86),
    "campaigns": range(86, 167),
    "crm": range(167, 207),
    "appointments": range(207, 253),
    "every": range(253, 273),
}
ALL = [f"B-{number:03}" for numbers in DOORS.values() for number in numbers]
BEYOND = [f"C-{number}" for number in (*range(1, 12), *range(20, 26))]
PLACES = {number: place for place, number in enumerate([*ALL, *BEYOND])}

_NUMBER = r"(?:B-\d{3}|C-\d{1,2})"
_MENTION = re.compile(rf"\b({_NUMBER})(?:\s?(?:\.\.|…|–)\s?({_NUMBER}))?(?!\d)")
_IN_NAME = re.compile(r"_b_?(\d{3})(?=_|$)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def mentions(text: str) -> set[str]:
    """The numbers in a text, ranges written out; numbers that do not exist are none."""
    return {number for first, last in _MENTION.findall(text) for number in between(first, last or first)}


def between(first: str, last: str) -> list[str]:
    """The numbers from `first` to `last`."""
    if not {first, last} <= PLACES.keys():
        return []
    return [number for number, place in PLACES.items() if PLACES[first] <= place <= PLACES[last]]


def named_in(path: Path) -> dict[str, set[str]]:
    """The numbers that each test of a file names, by the test's name."""
    source = path.read_text(encoding="utf-8")
    tree, comments = ast.parse(source), _comments(source)
    tables = {
        target.id: _strings(statement)
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in ast.walk(statement)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    }
    found: dict[str, set[str]] = {}
    for test, family in _tests(tree):
        texts = [*_docstrings(test, family), *_about(test, tables), *_comments_on(test, comments)]
        in_name = {f"B-{digits}" for digits in _IN_NAME.findall(test.name)} & PLACES.keys()
        found[test.name] = mentions("\n".join(texts)) | in_name
    return found


def _tests(tree: ast.Module) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
        family = node if isinstance(node, ast.ClassDef) else None
        for one in inside:
            if isinstance(one, Function) and one.name.startswith("test_"):
                yield one, family


def _docstrings(test: Function, family: ast.ClassDef | None) -> list[str]:
    return [ast.get_docstring(node) or "" for node in (test, family) if node is not None]


def _about(test: Function, tables: Mapping[str, list[str]]) -> list[str]:
    """What the decorators say, and the tables that they mention."""
    nodes = [node for decorator in test.decorator_list for node in ast.walk(decorator)]
    texts = [text for decorator in test.decorator_list for text in _strings(decorator)]
    return texts + [text for node in nodes if isinstance(node, ast.Name) for text in tables.get(node.id, [])]


def _strings(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _comments(source: str) -> dict[int, tuple[str, bool]]:
    """Each comment by its line, and whether it has the line to itself."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: (token.string, not token.line[: token.start[1]].strip())
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _comments_on(test: Function, comments: Mapping[int, tuple[str, bool]]) -> list[str]:
    first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
    inside = [comments[line][0] for line in range(first, (test.end_lineno or first) + 1) if line in comments]
    above = first - 1
    while comments.get(above, ("", False))[1]:
        inside.append(comments[above][0])
        above -= 1
    return inside


def named(tests: Path = TESTS) -> dict[str, list[str]]:
    """By number, the tests that name it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        for test, numbers in named_in(path).items():
            for number in numbers:
                found[number].append(f"{path.relative_to(tests)}::{test}")
    for path in sorted((tests / "contract").rglob("*.json")):
        for number in mentions(path.read_text(encoding="utf-8")):
            found[number].append(str(path.relative_to(tests)))
    return dict(found)


def wanted(words: Sequence[str]) -> list[str]:
    """The numbers that a person means: `B-054`, `54`, `54..61`, `B-054..B-061`, `C-1..C-25`, or a door."""
    chosen: set[str] = set()
    for word in words:
        if word in DOORS:
            chosen.update(f"B-{number:03}" for number in DOORS[word])
            continue
        ends = [_number(end) for end in re.split(r"\.\.|…|–", word)]
        span = between(ends[0], ends[-1])
        if not span:
            raise argparse.ArgumentTypeError(f"{word} is neither a door, a number nor a range such as 54..61")
        chosen.update(span)
    return sorted(chosen, key=PLACES.__getitem__)


def _number(word: str) -> str:
    return f"B-{int(word):03}" if word.isdecimal() else word


def ranges(numbers: Iterable[str]) -> str:
    """Numbers in order, neighbours drawn together: `B-001..B-004, B-007`."""
    runs: list[list[str]] = []
    for number in sorted(numbers, key=PLACES.__getitem__):
        if runs and between(runs[-1][-1], number) == [runs[-1][-1], number] and runs[-1][-1][0] == number[0]:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs) or "none"


def report(chosen: Sequence[str], found: Mapping[str, Sequence[str]]) -> str:
    """The table, what is open, and the sum."""
    lines = [
        f"{number if place == 0 else '':<7}{test}"
        for number in chosen
        for place, test in enumerate(found.get(number) or ["open"])
    ]
    open_ = [number for number in chosen if number not in found]
    done, beyond = (sum(number in found for number in numbers) for numbers in (ALL, BEYOND))
    summary = f"{done} of {len(ALL)} named by a test; of the {len(BEYOND)} beyond them, {beyond}"
    return "\n".join([*lines, "", f"Open: {ranges(open_)}", summary])


def main(arguments: Sequence[str] | None = None, tests: Path = TESTS) -> int:
    """Print the list; 1 where `--strict` names a number that is open."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", help="only these: B-054, 54..61, C-1..C-25, or a door's name")
    parser.add_argument("--door", nargs="+", default=[], choices=DOORS, help="only what these doors promise")
    parser.add_argument("--strict", nargs="+", default=[], metavar="RANGE", help="exit 1 if one of these is open")
    options = parser.parse_args(arguments)
    try:
        strict = wanted(options.strict)
        chosen = wanted([*options.numbers, *options.door]) or strict or [*ALL, *BEYOND]
    except (argparse.ArgumentTypeError, ValueError) as error:
        parser.error(str(error))
    found = named(tests)
    sys.stdout.write(report(chosen, found) + "\n")
    missing = [number for number in strict if number not in found]
    if missing:
        sys.stderr.write(f"open, but wanted: {ranges(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
