"""How large the fault suites run: `BELLTOWER_FAULTS` is small (in `make test`), full or long (by night).

One test serves all three: it asks `pick(1_000, 10_000)` for its figures. What is left out says why, and the summary
of every run lists it.
"""

from __future__ import annotations

import os
import shutil
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

SIZES: Final = ("small", "full", "long")
SIZE: Final = os.environ.get("BELLTOWER_FAULTS") or "small"
if SIZE not in SIZES:
    raise ValueError(f"BELLTOWER_FAULTS is one of {', '.join(SIZES)}, not {SIZE!r}")


def pick(small: T, full: T, long: T | None = None) -> T:
    """The figure of the chosen size; `long` is `full` where it is not given."""
    return {"small": small, "full": full, "long": full if long is None else long}[SIZE]


nightly: Final = pytest.mark.skipif(SIZE != "long", reason="left out: by night only, `make faults-long` runs it")
"""For what takes too long for every day."""

full_only: Final = pytest.mark.skipif(SIZE == "small", reason="left out: `make faults` runs it")
"""For the few cases that have no small size."""

needs_root: Final = pytest.mark.skipif(os.geteuid() != 0, reason="left out: needs root")
"""For mounts and network namespaces."""


def needs_program(name: str) -> pytest.MarkDecorator:
    """For what only another program can do, such as `faketime`."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"left out: needs the program {name}")
