"""One checker for all fault tests: holds the ledgers of a run against each other and lists what is wrong.

I1 to I6 are in `tests.rig.invariants`, I7 in `tests.rig.telling`; I8 to I10 compare measurements and bytes, and are
in `tests.rig.bounds`. `tests/unit/test_checker.py` breaks each of them, so that none is a rule that cannot fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from tests.rig import invariants
from tests.rig.invariants import Finding
from tests.rig.ledgers import Ledgers
from tests.rig.telling import events_told

INVARIANTS: Final[tuple[Callable[[Ledgers], Iterator[Finding]], ...]] = (
    invariants.no_acked_loss,
    invariants.no_silent_loss,
    invariants.no_double_send,
    invariants.attempts_bounded,
    invariants.in_order,
    invariants.cancel_wins,
    events_told,
)


def check(books: Ledgers) -> list[Finding]:
    """Everything in which the books contradict each other or a promise."""
    return [finding for invariant in INVARIANTS for finding in invariant(books)]


def assert_holds(books: Ledgers, *, most: int = 12) -> None:
    """Fail with how often each invariant was broken, and the first findings."""
    found = check(books)
    if found:
        counts = ", ".join(f"{name} × {count}" for name, count in sorted(Counter(f.invariant for f in found).items()))
        raise AssertionError("\n".join([counts, *(str(finding) for finding in found[:most])]))
