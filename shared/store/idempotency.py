"""Answers kept under a caller's key. Bodies are sealed before they come here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    fingerprint: bytes
    """sha256 of the request."""
    status: int
    headers: dict[str, str]
    body: bytes
    """Ciphertext."""


_LOCK: Final = "select pg_try_advisory_xact_lock(hashtextextended($1, 4774451407313060419))"


async def lock(tx: Connection, *, account_id: UUID, key: str) -> bool:
    """Whether this transaction alone handles the key now; False while a twin is running."""
    alone: bool = await tx.fetchval(_LOCK, f"{account_id} {key}")
    return alone


_GET: Final = """
select fingerprint, status, headers, body from idempotency_keys
where account_id = $1 and key = $2 and created_at >= $3
"""


async def get(tx: Connection, *, account_id: UUID, key: str, since: datetime) -> KeptAnswer | None:
    """The answer kept under `key`, where it is not older than `since`."""
    row = await tx.fetchrow(_GET, account_id, key, since)
    return KeptAnswer(**dict(row)) if row else None


_KEEP: Final = """
insert into idempotency_keys (account_id, key, fingerprint, status, headers, body, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (account_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
    headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
"""


async def keep(tx: Connection, *, account_id: UUID, key: str, now: datetime, kept: KeptAnswer) -> None:
    """Keep the answer; one that is too old to be replayed gives way."""
    await tx.execute(_KEEP, account_id, key, kept.fingerprint, kept.status, kept.headers, kept.body, now)
