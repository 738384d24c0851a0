"""The folders of the private server: in the data folder, or elsewhere when its user cannot go there."""

from __future__ import annotations

import fcntl
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from shared.runtime.embedded.errors import CannotStart
from shared.runtime.embedded.record import Record
from shared.runtime.embedded.runner import Runner, choose_runner

ELSEWHERE: Final = Path("/var/lib")

_log = structlog.get_logger(__name__)


def lock_data_dir(data_dir: Path) -> int:
    """Make the data folder ours alone until the descriptor that this returns is closed, if only by our death.

    Raises CannotStart when another process has it.
    """
    # Root's folder lets others pass, though not look, so that the server's user can reach its own part.
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    lock = os.open(data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CannotStart(
            f"Another process runs Belltower on {data_dir}: stop it, or set BELLTOWER_DATA_DIR to another folder."
        ) from None
    return lock


def find_or_make_home(data_dir: Path) -> tuple[Record, Runner]:
    """The record of the server's home and who runs it; made, with empty folders, when there is none."""
    record = Record.load(data_dir)
    if record is None:
        record = _make_home(data_dir)
        record.save(data_dir)
    return record, choose_runner(record.cluster_folder(data_dir))


def _make_home(data_dir: Path) -> Record:
    record = Record(home="postgres")
    cluster = record.cluster_folder(data_dir)
    runner = choose_runner(cluster)
    if not runner.may_enter(data_dir):
        mark = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
        record = Record(home=str(ELSEWHERE / f"belltower-{mark}"))
        cluster = record.cluster_folder(data_dir)
        runner = choose_runner(cluster)
    if cluster.exists():
        _set_aside(cluster)
    cluster.parent.mkdir(exist_ok=True)
    cluster.parent.chmod(0o711)
    cluster.mkdir(mode=0o700)
    runner.give(cluster)
    return record


def _set_aside(cluster: Path) -> None:
    """Keep data whose password went with the data folder: a person may want them, we cannot open them."""
    kept = cluster.with_name(f"{cluster.name}-until-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    cluster.rename(kept)
    _log.warning("old_database_set_aside", reason="its password is gone", kept_in=str(kept))
