"""Every column that holds ciphertext, in batches by key and under lock, so that all of it can be sealed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class SealedEndpoint:
    """An endpoint's secrets; both are sealed for its id."""

    id: UUID
    account_id: UUID
    secret: bytes
    next_secret: bytes | None


_ENDPOINTS: Final = """
select id, account_id, secret, next_secret from endpoints
where $1::uuid is null or id > $1 order by id limit $2 for no key update
"""


async def endpoints(tx: Connection, *, after: UUID | None, limit: int) -> list[SealedEndpoint]:
    """The next `limit` endpoints of all accounts, locked."""
    return [SealedEndpoint(**dict(row)) for row in await tx.fetch(_ENDPOINTS, after, limit)]


_SAVE_ENDPOINTS: Final = """
update endpoints e set secret = s.secret, next_secret = s.next_secret
from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as s (id, secret, next_secret) where e.id = s.id
"""


async def save_endpoints(tx: Connection, sealed: Sequence[SealedEndpoint]) -> None:
    """Write these secrets back; for their owner nothing has changed."""
    await tx.execute(
        _SAVE_ENDPOINTS, [e.id for e in sealed], [e.secret for e in sealed], [e.next_secret for e in sealed]
    )


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """An answer that is kept under an `Idempotency-Key`."""

    account_id: UUID
    key: str
    body: bytes


_ANSWERS: Final = """
select account_id, key, body from idempotency_keys
where $1::uuid is null or (account_id, key) > ($1, $2::text) order by account_id, key limit $3 for no key update
"""


async def answers(tx: Connection, *, after: tuple[UUID, str] | None, limit: int) -> list[SealedAnswer]:
    """The next `limit` kept answers of all accounts, locked."""
    account_id, key = after or (None, None)
    return [SealedAnswer(**dict(row)) for row in await tx.fetch(_ANSWERS, account_id, key, limit)]


_SAVE_ANSWERS: Final = """
update idempotency_keys i set body = s.body
from unnest($1::uuid[], $2::text[], $3::bytea[]) as s (account_id, key, body)
where i.account_id = s.account_id and i.key = s.key
"""


async def save_answers(tx: Connection, sealed: Sequence[SealedAnswer]) -> None:
    """Write these bodies back."""
    await tx.execute(_SAVE_ANSWERS, [a.account_id for a in sealed], [a.key for a in sealed], [a.body for a in sealed])
