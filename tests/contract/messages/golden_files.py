"""The golden files: one message per type and version, written once and never again, beside their checksums."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from contract.messages.samples import sample

from shared.messages.catalogue import CATALOGUE
from shared.messages.envelope import encode
from shared.messages.schemas import name_of

FOLDER = Path(__file__).parent / "golden"
SUMS = FOLDER / "SHA256SUMS"
"""As `sha256sum --check` reads it."""


def expected_names() -> set[str]:
    return {f"{name_of(kind)}.json" for kind in CATALOGUE}


def present_names() -> set[str]:
    return {path.name for path in FOLDER.glob("*.json")}


def examples() -> dict[str, Any]:
    """The messages by routing key."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}


def checksum(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def listed_checksums() -> dict[str, str]:
    if not SUMS.exists():
        return {}
    lines = SUMS.read_text(encoding="utf-8").splitlines()
    return {name: found for found, name in (line.split("  ", 1) for line in lines)}


def write_missing() -> list[str]:
    """Write the files that are not there yet, and add their checksums; touches nothing that is there."""
    FOLDER.mkdir(exist_ok=True)
    listed = listed_checksums()
    written = []
    for kind in CATALOGUE:
        name = f"{name_of(kind)}.json"
        # A listed file that is gone was deleted by somebody: the test says so, and nothing here hides it.
        if name in listed or (FOLDER / name).exists():
            continue
        text = json.dumps(json.loads(encode(sample(kind))), indent=2)
        (FOLDER / name).write_text(text + "\n", encoding="utf-8")
        written.append(name)
    listed |= {name: checksum(name) for name in written}
    lines = [f"{found}  {name}\n" for name, found in sorted(listed.items())]
    SUMS.write_text("".join(lines), encoding="utf-8")
    return written
