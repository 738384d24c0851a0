"""What the Markdown says of names, files and states is so."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest
from unit.domain_builders import NOON, PARK, RETRY, a_case, a_progress, an_occurrence

from services.options import sections
from shared.domain.endpoint import MAX_ATTEMPTS, Answer, DeliveryState, after_attempt
from shared.domain.occurrence import State
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.reminder import Status
from shared.domain.settlement import settle_attempt, settle_lost

ROOT = Path(__file__).parents[2]
SKIPPED = {"build", "dist", "node_modules"}
PAPERS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in SKIPPED for part in path.relative_to(ROOT).parts)
)
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PAPERS}
SETTINGS = {option.name for _, options in sections() for option in options} | {"BELLTOWER_TEST_AMQP_URL"}

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|work|mnt|tmp|Users|private)/|[A-Z]:\\")
SETTING = re.compile(r"\b(BELLTOWER_[A-Z_]*)(…|\*)?")
MAKE = re.compile(r"(?:`|^)make ([a-z]+)", re.MULTILINE)
PLACE = re.compile(r"`((?:services|shared|tests|docs|deploy|examples|bench|\.ci)/[\w./-]+)`")

paper = pytest.mark.parametrize("name", TEXTS)


def _anchors(text: str) -> set[str]:
    """The headings as the usual renderers address them."""
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@paper
def test_a_link_inside_the_project_leads_somewhere(name: str) -> None:
    for link in LINK.findall(TEXTS[name]):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link


@paper
def test_no_paper_names_a_folder_of_somebodys_machine(name: str) -> None:
    assert MACHINE_PATH.search(TEXTS[name]) is None


@paper
def test_every_setting_that_is_named_exists(name: str) -> None:
    for setting, more in SETTING.findall(TEXTS[name]):
        if more or setting.endswith("_"):
            assert any(known.startswith(setting) for known in SETTINGS), setting
        else:
            assert setting in SETTINGS


@paper
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(MAKE.findall(TEXTS[name])) <= targets


@paper
def test_every_file_that_is_named_exists(name: str) -> None:
    for place in PLACE.findall(TEXTS[name]):
        assert (ROOT / place).exists(), place


@paper
def test_a_name_that_is_given_with_its_file_stands_there(name: str) -> None:
    """`Occurrence.in_doubt` in `shared/domain/occurrence.py`: the words stand in the file."""
    for word, place in re.findall(r"`([\w.]+)`,? (?:of|in)\s`((?:services|shared|tests)/[\w/]+\.py)`", TEXTS[name]):
        assert word.rpartition(".")[2] in (ROOT / place).read_text(encoding="utf-8"), (word, place)


def test_every_decision_has_its_number_its_parts_and_its_line_in_the_index() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].removeprefix(f"# {path.name[:4]} ")
        assert f"| [{path.name[:4]}](decisions/{path.name}) | {title} |" in TEXTS["docs/README.md"]
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Options", "Decision", "Consequences"]
        assert re.search(r"^\d{4}-\d{2}-\d{2} · (accepted|replaced by \[\d{4}\].*)$", text, re.MULTILINE)


def test_every_code_of_the_campaigns_dialect_is_in_its_paper() -> None:
    """B-093: those that it writes itself, those of the verbs behind its routes, and what its routes may not find."""
    api = ROOT / "services" / "api"
    own = (api / "dialects" / "campaigns" / "edges.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"\"([A-Z]+(?:_[A-Z]+)+)\"", own))
    for verb in ("contact_upsert", "contacts", "deliveries", "endpoints", "idempotency", "opt_outs"):
        source = (api / "core" / f"{verb}.py").read_text(encoding="utf-8")
        codes |= {code.upper() for code in re.findall(r"Conflict\(\s*\"(\w+)\"", source)}
        codes |= {f"{what.upper()}_NOT_FOUND" for what in re.findall(r"NotFound\(\"(\w+)\"\)", source)}
    assert {
        "ROTATION_PHASE",
        "BACKFILL_NOT_FOUND",
        "INTERNAL_ERROR",
        "IDENTIFIER_CONFLICT",
        "OPT_OUT_NOT_FOUND",
    } <= codes
    told = set(re.findall(r"`([A-Z_]+)`", TEXTS["services/api/dialects/campaigns/README.md"]))
    assert codes <= told


def test_the_sample_of_every_setting_is_where_the_papers_say() -> None:
    assert (ROOT / "deploy" / ".env.example").exists()


# ── docs/lifecycle.md ──


def _chart(heading: str) -> dict[str, set[str]]:
    """The arrows of the chart under this heading, by the state where they begin."""
    section = TEXTS["docs/lifecycle.md"].partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    arrows: dict[str, set[str]] = defaultdict(set)
    for start, end in re.findall(r"^    (\S+) --> ([\w*\[\]]+)", section.partition("```mermaid")[2], re.MULTILINE):
        arrows[start].add(end)
    return arrows


def _tabled(heading: str) -> list[str]:
    section = TEXTS["docs/lifecycle.md"].partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"\| (?:State|Status) \| Means .*?\n\n", section, re.DOTALL)
    assert table is not None
    return re.findall(r"^\| `(\w+)` \|", table[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "states"), [("Occurrence", State), ("Delivery", DeliveryState), ("Reminder", Status)]
)
def test_the_chart_and_the_table_have_the_states_of_the_code(heading: str, states: type[State]) -> None:
    names = {state.value for state in states}
    arrows = _chart(heading)
    assert (arrows.keys() | set().union(*arrows.values())) - {"[*]"} == names
    assert set(_tabled(heading)) == names


ANSWERS: list[Outcome] = [
    Accepted("m-1"),
    Rejected("no"),
    Unavailable("key"),
    Unknown("lost"),
    *(Failed("no", counts=counts, ambiguous=ambiguous) for counts, ambiguous in product((True, False), repeat=2)),
]


def _ends_from(state: State) -> set[str]:
    """Every state that an answer, or the loss of the worker, makes of this one."""
    found = set()
    statuses = (Status.ACTIVE, Status.CANCELLED, Status.COMPLETED)
    for policy, status, keyed, failures in product((PARK, RETRY), statuses, (True, False), (0, 4)):
        occurrence = an_occurrence(state=state, takes_key=keyed, failures=failures)
        case = a_case(occurrence=occurrence, progress=a_progress(status=status), policy=policy)
        found |= {settle_attempt(case, answer, now=NOON, random=0.5).step.state.value for answer in ANSWERS}
        if state is State.SENDING:
            found.add(settle_lost(case, now=NOON).step.state.value)
    return found


def test_the_arrows_from_sending_and_uncertain_are_what_answers_make_of_them() -> None:
    chart = _chart("Occurrence")
    assert chart["sending"] == _ends_from(State.SENDING)
    # To stay what it is, is no arrow; the chart's end is no state.
    assert chart["uncertain"] - {"[*]"} == _ends_from(State.UNCERTAIN) - {"uncertain"}


def test_the_arrows_from_a_delivery_under_way_are_what_answers_make_of_it() -> None:
    statuses = (200, 204, 301, 404, 410, 429, 500, None)
    answers = [Answer(status, None if status == 200 else "http_status") for status in statuses]
    found = {
        after_attempt(attempt, answer, at=NOON, random=0.5).state.value
        for attempt, answer in product(range(1, MAX_ATTEMPTS + 1), answers)
    }
    assert _chart("Delivery")["sending"] == found
