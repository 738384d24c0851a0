"""Proves callers, and makes, refreshes and expires their keys. Secrets are compared as digests alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.core.caller import Caller
from services.api.core.keys import digest_of, make_key
from shared.domain.account import Configuration, CredentialKind
from shared.domain.refusal import NotFound, Unauthenticated
from shared.store import credentials as store
from shared.store.database import Connection

USE_NOTED_EVERY: Final = timedelta(minutes=1)

MOST_KEY_GRACE: Final = 7 * 24 * 3600
"""Seconds that a refreshed key may go on at the most (B-008)."""

KEY_PAIR: Final = (CredentialKind.PRIMARY, CredentialKind.SECONDARY)


async def authenticate_key(db: Connection, presented: str) -> Caller:
    """The account whose `sk_live_…` key this is. Raises `Unauthenticated`."""
    digest = digest_of(presented)
    if digest is None:
        raise Unauthenticated
    return await _proved(db, await store.find_key(db, digest))


async def authenticate_secret(db: Connection, *, agent_id: str, configuration_id: str, presented: str) -> Caller:
    """The configuration of which `presented` is the primary or secondary key (B-001).

    In the order of B-006: no secret at all raises `Unauthenticated`, an unknown configuration `NotFound`, a
    secret that does not fit it `Unauthenticated`.
    """
    if not presented:
        raise Unauthenticated
    # What cannot be a secret is looked up like one that is wrong: the answer tells them not apart.
    digest = digest_of(presented) or bytes(32)
    found = await store.find_secret(db, agent_id=agent_id, configuration_id=configuration_id, digest=digest)
    if not found.known:
        raise NotFound("configuration")
    return await _proved(db, found)


async def _proved(db: Connection, found: store.Found) -> Caller:
    if found.credential_id is None or found.account_id is None:
        raise Unauthenticated
    if found.expires_at is not None and found.expires_at <= found.now:
        raise Unauthenticated(expired=True)
    if found.last_used_at is None or found.now - found.last_used_at > USE_NOTED_EVERY:
        await store.touch(db, found.credential_id, now=found.now)
    return Caller(
        account_id=found.account_id,
        credential_id=found.credential_id,
        time_zone=found.time_zone or "UTC",
        plan=found.plan or "free",
        configuration=found.configuration,
        now=found.now,
    )


async def create_api_key(tx: Connection, *, account_id: UUID, now: datetime | None = None) -> str:
    """Another key of the account, in the clear."""
    return await _create(tx, account_id=account_id, configuration_id=None, kind=CredentialKind.API_KEY, now=now)


async def create_key_pair(
    tx: Connection, *, account_id: UUID, configuration_id: UUID, now: datetime | None = None
) -> tuple[str, str]:
    """The primary and the secondary key of a new configuration (B-002), in the clear."""
    primary, secondary = [
        await _create(tx, account_id=account_id, configuration_id=configuration_id, kind=kind, now=now)
        for kind in KEY_PAIR
    ]
    return primary, secondary


async def refresh_keys(
    tx: Connection,
    configuration: Configuration,
    kinds: Sequence[CredentialKind] = KEY_PAIR,
    *,
    grace: timedelta = timedelta(0),
    now: datetime,
) -> dict[CredentialKind, str]:
    """New keys of these kinds, in the clear; the other kind is left alone (B-003).

    The old ones end after `grace`: at once where it is zero (B-008).
    """
    account_id, configuration_id = configuration.account_id, configuration.id
    fresh: dict[CredentialKind, str] = {}
    for kind in kinds:
        await store.expire_kind(tx, account_id=account_id, configuration_id=configuration_id, kind=kind, at=now + grace)
        fresh[kind] = await _create(tx, account_id=account_id, configuration_id=configuration_id, kind=kind, now=now)
    return fresh


async def expire_credential(tx: Connection, *, account_id: UUID, credential_id: UUID, at: datetime) -> None:
    """End a credential at `at`. Raises `NotFound` where it is not there or ends sooner."""
    if not await store.expire(tx, account_id=account_id, credential_id=credential_id, at=at):
        raise NotFound("credential")


async def _create(
    tx: Connection, *, account_id: UUID, configuration_id: UUID | None, kind: CredentialKind, now: datetime | None
) -> str:
    key = make_key(kind)
    await store.insert(
        tx,
        account_id=account_id,
        configuration_id=configuration_id,
        kind=kind,
        digest=key.digest,
        prefix=key.prefix,
        now=now,
    )
    return key.secret
