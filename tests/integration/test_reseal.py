"""M-05: the master key changes, and nothing that it sealed is lost: neither half-way nor to a key that is gone."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest

from rig.command import belltower
from services.admin.work.reseal import BATCH, Reseal
from shared.runtime.keyring import CannotOpen, Keyring
from shared.store.database import Database

OLD, NEW, LOST = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
BEFORE, DURING, AFTER = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
MANY = BATCH + 50

SEALED = {"endpoints.secret", "endpoints.next_secret", "idempotency_keys.body"}
NO_SECRETS = {
    "credentials.hash",
    "dead_letters.body",
    "deliveries.body",
    "idempotency_keys.fingerprint",
    "reminders.fingerprint",
}


class Sealed:
    """A database with secrets in every column that holds one."""

    def __init__(self, db: Database) -> None:
        self.db, self.account = db, uuid4()

    async def make_account(self) -> None:
        async with self.db.transaction() as tx:
            await tx.execute("insert into accounts (id, name, created_at) values ($1, 'Acme', now())", self.account)

    async def endpoint(self, number: int, keyring: Keyring = BEFORE) -> None:
        """One whose secret's rotation is under way."""
        id = UUID(int=number)
        secrets = [keyring.seal(f"whsec_{number}_{n}", account_id=self.account, row_id=id) for n in (1, 2)]
        async with self.db.transaction() as tx:
            await tx.execute(
                """insert into endpoints (id, account_id, name, target_url, event_types, secret, next_secret, rotation,
                       created_at, updated_at)
                   values ($1, $2, 'x', 'https://example.com/', '{message.sent}', $3, $4, 'staged', now(), now())""",
                id,
                self.account,
                *secrets,
            )

    async def answer(self, key: str, keyring: Keyring = BEFORE) -> None:
        body = keyring.seal(f"answer {key}", account_id=self.account, row_id=uuid5(self.account, key))
        async with self.db.transaction() as tx:
            await tx.execute(
                """insert into idempotency_keys (account_id, key, fingerprint, status, headers, body, created_at)
                   values ($1, $2, sha256('x'), 201, '{}', $3, now())""",
                self.account,
                key,
                body,
            )

    async def opened(self, keyring: Keyring) -> list[str]:
        """Every secret. Raises `CannotOpen`."""
        async with self.db.connection() as db:
            endpoints = await db.fetch("select id, secret, next_secret from endpoints order by id")
            answers = await db.fetch("select key, body from idempotency_keys order by key")
        rows = [(row["id"], sealed) for row in endpoints for sealed in (row["secret"], row["next_secret"])]
        rows += [(uuid5(self.account, row["key"]), row["body"]) for row in answers]
        return [keyring.open(sealed, account_id=self.account, row_id=id) for id, sealed in rows]


@pytest.fixture
async def sealed(database_url: str) -> AsyncIterator[Sealed]:
    db = await Database.open(database_url, size=2)
    sealed = Sealed(db)
    await sealed.make_account()
    yield sealed
    await db.close()


def reseal(folder: Path, database_url: str, *keys: bytes) -> subprocess.CompletedProcess[str]:
    ring = ",".join(base64.b64encode(key).decode() for key in keys)
    settings = {"DATABASE_URL": database_url, "BELLTOWER_MASTER_KEY": ring}
    return belltower("admin", "reseal", "--json", cwd=folder, settings=settings)


async def test_m_05_after_resealing_the_new_key_alone_opens_everything(
    tmp_path: Path, database_url: str, sealed: Sealed
) -> None:
    for number in range(1, MANY + 1):
        await sealed.endpoint(number)
        await sealed.answer(f"key-{number:04}")
    before = await sealed.opened(BEFORE)
    first = reseal(tmp_path, database_url, NEW, OLD)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {"resealed": 3 * MANY, "current": 0, "unreadable": 0}
    assert await sealed.opened(AFTER) == before
    with pytest.raises(CannotOpen):
        await sealed.opened(BEFORE)
    again = reseal(tmp_path, database_url, NEW)
    assert json.loads(again.stdout) == {"resealed": 0, "current": 3 * MANY, "unreadable": 0}


async def test_m_05_a_run_that_ended_half_way_is_gone_on_with(sealed: Sealed) -> None:
    for number in range(1, 6):
        await sealed.endpoint(number)
        await sealed.answer(f"key-{number}")
    before = await sealed.opened(BEFORE)
    async with sealed.db.transaction() as tx:
        await Reseal(DURING).endpoints(tx, after=None, limit=2)
    assert await sealed.opened(DURING) == before, "services that hold both keys read on"
    tally = await Reseal(DURING).run(sealed.db)
    assert (tally.resealed, tally.current, tally.unreadable) == (11, 4, 0)
    assert await sealed.opened(AFTER) == before


async def test_m_05_a_secret_that_no_key_opens_is_left_counted_and_told(
    tmp_path: Path, database_url: str, sealed: Sealed
) -> None:
    await sealed.endpoint(1)
    await sealed.endpoint(2, Keyring([LOST]))
    ended = reseal(tmp_path, database_url, NEW, OLD)
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {"resealed": 2, "current": 0, "unreadable": 2}
    assert ended.stderr.startswith("belltower: 2 secrets open with no key of BELLTOWER_MASTER_KEY")
    assert len(await sealed.opened(Keyring([NEW, LOST]))) == 4


def test_m_05_without_a_master_key_nothing_is_begun(tmp_path: Path, database_url: str) -> None:
    ended = belltower("admin", "reseal", cwd=tmp_path, settings={"DATABASE_URL": database_url})
    assert (ended.returncode, "BELLTOWER_MASTER_KEY: missing" in ended.stderr) == (2, True)


async def test_every_column_of_bytes_is_resealed_or_known_to_hold_no_secret(sealed: Sealed) -> None:
    """A new one has to be put on one side or the other."""
    async with sealed.db.connection() as db:
        found = await db.fetch(
            """select table_name || '.' || column_name as name from information_schema.columns
               where table_schema = 'public' and data_type = 'bytea'"""
        )
    assert {row["name"] for row in found} == SEALED | NO_SECRETS
