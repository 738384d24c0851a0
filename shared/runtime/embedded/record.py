"""The small file in the data folder that remembers where the private server lives and how to reach it."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.runtime.embedded.errors import CannotStart

_NAME = "postgres.json"


def _new_password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Record:
    """`home` is the server's folder, relative to the data folder unless it had to live elsewhere."""

    home: str
    password: str = field(default_factory=_new_password, repr=False)
    port: int = 0
    pid: int = 0
    initialised: bool = False

    @property
    def dsn(self) -> str:
        return f"postgresql://belltower:{self.password}@127.0.0.1:{self.port}/belltower"

    def home_folder(self, data_dir: Path) -> Path:
        return data_dir.resolve() / self.home

    def cluster_folder(self, data_dir: Path) -> Path:
        """The folder that belongs to the user who runs the server."""
        return self.home_folder(data_dir) / "cluster"

    @classmethod
    def load(cls, data_dir: Path) -> Record | None:
        """Read it; None when there is none. Raises CannotStart when others could have read the password."""
        path = data_dir / _NAME
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            return None
        if mode & 0o077:
            raise CannotStart(f"{path} holds a password and others can read it: chmod 600 it and start again.")
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as damage:
            raise CannotStart(f"{path} is damaged: {damage}") from damage

    def save(self, data_dir: Path) -> None:
        """Replace the file as a whole, so that a crash leaves the old or the new one."""
        draft = data_dir / f"{_NAME}.new"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(data_dir / _NAME)
