"""The demo account of `belltower up`: made on the first start, its keys kept in the data folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from services.api.core.accounts import create_account
from services.api.core.credentials import authenticate_key
from services.ending import CannotRun
from services.keepsakes import DEMO, read_private, write_private
from shared.domain.refusal import Unauthenticated
from shared.store.database import Database
from shared.store.occurrences import database_now

OWNER: Final = "demo@example.com"
"""To whom the demo account's reminders about contacts go: an address that nobody has (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Demo:
    """An account and its keys, in the clear."""

    account_id: str
    api_key: str
    agent_id: str
    configuration_id: str
    primary_key: str
    secondary_key: str


def read_demo(data_dir: Path) -> Demo | None:
    """The kept one. Raises `CannotRun` where others may read it, or where it is damaged."""
    text = read_private(data_dir / DEMO)
    if text is None:
        return None
    try:
        return Demo(**json.loads(text))
    except (ValueError, TypeError):
        raise CannotRun(
            f"{data_dir / DEMO} is damaged: bring it back, or move it away to get a new demo account"
        ) from None


async def have_demo(db: Database, data_dir: Path) -> tuple[Demo, bool]:
    """The demo account, and whether it is new: a database that does not know the kept keys gets one of its own."""
    kept = read_demo(data_dir)
    if kept is not None and await _is_known(db, kept):
        return kept, False
    if kept is not None:
        aside = data_dir / f"demo-until-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
        (data_dir / DEMO).rename(aside)
    return await _make(db, data_dir), True


async def _is_known(db: Database, demo: Demo) -> bool:
    """Whether this database has the account; a key that was expired since is as good as any."""
    async with db.connection() as connection:
        try:
            caller = await authenticate_key(connection, demo.api_key)
        except Unauthenticated as refused:
            return refused.expired
    return caller.account_id == UUID(demo.account_id)


async def _make(db: Database, data_dir: Path) -> Demo:
    async with db.transaction() as tx:
        made = await create_account(tx, name="Demo", owner_email=OWNER, now=await database_now(tx))
        demo = Demo(
            account_id=str(made.account_id),
            api_key=made.api_key,
            agent_id=made.default.agent_id,
            configuration_id=made.default.configuration_id,
            primary_key=made.default.primary_key,
            secondary_key=made.default.secondary_key,
        )
        # Before the commit: an account whose keys nobody has would stay for ever, a file without one is replaced.
        write_private(data_dir / DEMO, json.dumps(asdict(demo), indent=2) + "\n", replace=True)
    return demo
