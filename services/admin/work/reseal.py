"""Sealing anew, with the newest master key, what an older one sealed (M-05).

Batch by batch, each in a transaction of its own: what was sealed anew stays so however the command ends, and
another run passes over it. Services that hold both keys go on meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid5

from services.admin.work.database import admin_settings, open_database
from services.running import run
from shared.runtime.keyring import CannotOpen, Keyring
from shared.runtime.settings import Settings
from shared.store import sealed
from shared.store.database import Connection, Database
from shared.store.sealed import SealedAnswer, SealedEndpoint

BATCH: Final = 200


@dataclass(slots=True)
class Tally:
    """How many secrets of each kind there were."""

    resealed: int = 0
    current: int = 0
    """Sealed with the newest key already."""
    unreadable: int = 0
    """No key of BELLTOWER_MASTER_KEY opens them; left as they are."""


def reseal_all() -> Tally:
    """Seal everything anew that is not sealed with the newest key. Raises `BadSettings`, `CannotRun`."""
    settings = admin_settings()
    return run(_reseal_all(settings, Keyring.from_settings(settings)))


async def _reseal_all(settings: Settings, keyring: Keyring) -> Tally:
    async with open_database(settings) as database:
        return await Reseal(keyring).run(database)


class Reseal:
    """One run over every sealed column."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.tally = Tally()

    async def run(self, database: Database) -> Tally:
        """All that there is; returns the tally."""
        endpoint: UUID | None = None
        while True:
            async with database.transaction() as tx:
                endpoint = await self.endpoints(tx, after=endpoint)
            if endpoint is None:
                break
        answer: tuple[UUID, str] | None = None
        while True:
            async with database.transaction() as tx:
                answer = await self.answers(tx, after=answer)
            if answer is None:
                return self.tally

    async def endpoints(self, tx: Connection, *, after: UUID | None, limit: int = BATCH) -> UUID | None:
        """One batch of signing secrets; returns its last key, or None where nothing was left."""
        found = await sealed.endpoints(tx, after=after, limit=limit)
        fresh = [self._endpoint(one) for one in found]
        await sealed.save_endpoints(tx, [new for new, old in zip(fresh, found, strict=True) if new != old])
        return found[-1].id if found else None

    async def answers(
        self, tx: Connection, *, after: tuple[UUID, str] | None, limit: int = BATCH
    ) -> tuple[UUID, str] | None:
        """One batch of kept answers, in the same way."""
        found = await sealed.answers(tx, after=after, limit=limit)
        fresh = [self._answer(one) for one in found]
        await sealed.save_answers(tx, [new for new, old in zip(fresh, found, strict=True) if new != old])
        return (found[-1].account_id, found[-1].key) if found else None

    def _endpoint(self, one: SealedEndpoint) -> SealedEndpoint:
        secret = self._fresh(one.secret, one.account_id, one.id)
        following = None if one.next_secret is None else self._fresh(one.next_secret, one.account_id, one.id)
        return replace(one, secret=secret, next_secret=following)

    def _answer(self, one: SealedAnswer) -> SealedAnswer:
        """The row's id is made of its key, as `services.api.core.idempotency` makes it."""
        return replace(one, body=self._fresh(one.body, one.account_id, uuid5(one.account_id, one.key)))

    def _fresh(self, ciphertext: bytes, account_id: UUID, row_id: UUID) -> bytes:
        if self._keyring.is_current(ciphertext):
            self.tally.current += 1
            return ciphertext
        try:
            secret = self._keyring.open(ciphertext, account_id=account_id, row_id=row_id)
        except CannotOpen:
            self.tally.unreadable += 1
            return ciphertext
        self.tally.resealed += 1
        return self._keyring.seal(secret, account_id=account_id, row_id=row_id)
