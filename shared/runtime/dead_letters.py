"""Gives the memory bus a place for its dead letters that survives it: a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from shared.bus.bus import DeadLetter
from shared.store import dead_letters
from shared.store.database import Database


class DeadLetterTable:
    """What `shared.bus.memory.DeadLetterStore` asks for."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, letter: DeadLetter) -> None:
        async with self._db.connection() as db:
            await dead_letters.save(db, dead_letters.DeadRow(**asdict(letter)))

    async def list(self, queue: str, *, limit: int) -> Sequence[DeadLetter]:
        async with self._db.connection() as db:
            return [DeadLetter(**asdict(row)) for row in await dead_letters.oldest(db, queue, limit=limit)]

    async def take(self, queue: str, letter: UUID) -> bool:
        async with self._db.connection() as db:
            return await dead_letters.take(db, queue, letter)
