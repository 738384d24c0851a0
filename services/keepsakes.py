"""Files of the data folder that hold secrets: readable by their owner alone, or refused."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Final

from services.ending import CannotRun

MASTER_KEY: Final = "master.key"
DEMO: Final = "demo.json"


def make_folder(data_dir: Path) -> None:
    """Make the data folder; one that is there keeps its mode."""
    # Root's folder lets others pass, though not look: the user who runs its database must reach its own part.
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


def read_private(path: Path) -> str | None:
    """What the file holds; None where there is none. Raises `CannotRun` where others may read it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise CannotRun(f"{path} holds secrets and others can read it: chmod 600 it and start again")
    return path.read_text(encoding="utf-8")


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write the file as a whole, so that a crash leaves the old one, the new one or none.

    Raises `FileExistsError` where it is there and may not be replaced.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def keep_master_key(data_dir: Path) -> str:
    """The data folder's master key, made on the first start. Raises `CannotRun` where it went missing since."""
    path = data_dir / MASTER_KEY
    kept = read_private(path)
    if kept is not None:
        return kept.strip()
    if (data_dir / DEMO).exists():
        raise CannotRun(
            f"{path} is gone, and signing secrets in the database cannot be read without it: bring it back, "
            "or set BELLTOWER_MASTER_KEY"
        )
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    try:
        write_private(path, f"{key}\n", replace=False)
    except FileExistsError:  # another start was faster
        return (read_private(path) or "").strip()
    return key
