"""One answer for one `Idempotency-Key`, for 24 hours (decision 4): kept in the transaction of what it answers.

Bodies are sealed at rest: an answer may show a key or a signing secret once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

import orjson

from shared.domain.refusal import Conflict, Invalid, Problem
from shared.runtime.keyring import CannotOpen, Keyring
from shared.store import idempotency as store
from shared.store.database import Connection

KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it is kept."""

    status: int
    headers: dict[str, str]
    body: bytes


def key_of(headers: Sequence[str]) -> str | None:
    """The key in the values of the header `Idempotency-Key`. Raises `Invalid`."""
    if not headers:
        return None
    key = headers[0]
    if len(headers) > 1 or not 1 <= len(key) <= 255 or not key.isprintable() or not key.isascii():
        raise Invalid([Problem("Idempotency-Key", "one value of 1 to 255 printable ASCII characters")])
    return key


async def remembered(
    tx: Connection,
    *,
    account_id: UUID,
    key: str,
    request: tuple[str, str, Sequence[tuple[str, str]], bytes],
    keyring: Keyring,
    now: datetime,
    handle: Callable[[], Awaitable[Answer]],
) -> Answer:
    """The answer that `key` was given before, or `handle`'s, kept for the next time.

    `request` is method, path, query and body. Raises `Conflict` where the key was used for another request, or
    where its twin is running; a refusal by `handle` is not kept.
    """
    *head, body = request
    fingerprint = hashlib.sha256(orjson.dumps(head) + body).digest()
    if not await store.lock(tx, account_id=account_id, key=key):
        raise Conflict("idempotency_key_in_use", "a request with this Idempotency-Key is running")
    kept = await store.get(tx, account_id=account_id, key=key, since=now - KEPT)
    if kept is None:
        answer = await handle()
        sealed = keyring.seal(answer.body.decode(), account_id=account_id, row_id=uuid5(account_id, key))
        await store.keep(
            tx,
            account_id=account_id,
            key=key,
            now=now,
            kept=store.KeptAnswer(fingerprint, answer.status, answer.headers, sealed),
        )
        return answer
    if kept.fingerprint != fingerprint:
        raise Conflict("idempotency_key_reused", "this Idempotency-Key was used for another request")
    return _replayed(kept, account_id, key, keyring)


def _replayed(kept: store.KeptAnswer, account_id: UUID, key: str, keyring: Keyring) -> Answer:
    try:
        body = keyring.open(kept.body, account_id=account_id, row_id=uuid5(account_id, key))
    except CannotOpen:
        raise Conflict("idempotency_answer_lost", "the answer to this Idempotency-Key can no longer be read") from None
    answer = Answer(kept.status, kept.headers, body.encode())
    return replace(answer, headers={**answer.headers, "Idempotent-Replayed": "true"})
