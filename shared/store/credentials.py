"""Credentials: kept as digests, found by digest, never readable again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.account import Configuration, CredentialKind
from shared.store.configurations import COLUMNS, configuration_of
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at the table says of a presented secret."""

    now: datetime
    """The database's clock."""
    credential_id: UUID | None
    account_id: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None
    time_zone: str | None
    plan: str | None
    configuration: Configuration | None
    known: bool
    """Whether the configuration that was asked for exists at all."""


_FIND_KEY: Final = """
select clock_timestamp() as now, k.id as credential_id, a.id as account_id, k.expires_at, k.last_used_at,
    a.time_zone as account_zone, a.plan
from (select 1) as one
left join credentials k on k.hash = $1 and k.kind = 'api_key'
left join accounts a on a.id = k.account_id
"""


async def find_key(db: Connection, digest: bytes) -> Found:
    """Look for an account's key by its sha256."""
    row = await db.fetchrow(_FIND_KEY, digest)
    return _found(row, None, known=True)


_FIND_SECRET: Final = f"""
select clock_timestamp() as now, k.id as credential_id, a.id as account_id, k.expires_at, k.last_used_at,
    a.time_zone as account_zone, a.plan,
    exists (select from configurations where agent_id = $1 and configuration_id = $2) as known, {COLUMNS}
from (select 1) as one
left join (credentials k join configurations c on c.id = k.configuration_id and c.agent_id = $1
           and c.configuration_id = $2 join accounts a on a.id = c.account_id) on k.hash = $3
"""


async def find_secret(db: Connection, *, agent_id: str, configuration_id: str, digest: bytes) -> Found:
    """Look for a configuration's primary or secondary key by its sha256."""
    row = await db.fetchrow(_FIND_SECRET, agent_id, configuration_id, digest)
    return _found(row, configuration_of(row) if row["credential_id"] else None, known=row["known"])


def _found(row: Any, configuration: Configuration | None, *, known: bool) -> Found:
    return Found(
        now=row["now"],
        credential_id=row["credential_id"],
        account_id=row["account_id"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        time_zone=row["account_zone"],
        plan=row["plan"],
        configuration=configuration,
        known=known,
    )


_TOUCH: Final = """
update credentials set last_used_at = $2
where id = (select id from credentials where id = $1 for update skip locked)
"""


async def touch(db: Connection, credential_id: UUID, *, now: datetime) -> None:
    """Note that a credential was used; gives way to whoever notes it already."""
    await db.execute(_TOUCH, credential_id, now)


_INSERT: Final = """
insert into credentials (id, account_id, configuration_id, kind, hash, prefix, created_at)
values ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, clock_timestamp()))
"""


async def insert(
    tx: Connection,
    *,
    account_id: UUID,
    configuration_id: UUID | None,
    kind: CredentialKind,
    digest: bytes,
    prefix: str,
    now: datetime | None,
) -> UUID:
    """Keep a new credential and return its id; `configuration_id` is the row's, for primary and secondary keys."""
    id = uuid7()
    await tx.execute(_INSERT, id, account_id, configuration_id, kind.value, digest, prefix, now)
    return id


@dataclass(frozen=True, slots=True)
class Listed:
    """What may be shown of a credential."""

    id: UUID
    kind: CredentialKind
    prefix: str
    configuration_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


_LIST: Final = """
select id, kind, prefix, configuration_id, created_at, expires_at, last_used_at
from credentials where account_id = $1 order by created_at, id
"""


async def list_all(db: Connection, *, account_id: UUID) -> list[Listed]:
    """An account's credentials, its configurations' included."""
    rows = await db.fetch(_LIST, account_id)
    return [Listed(**{**dict(row), "kind": CredentialKind(row["kind"])}) for row in rows]


_EXPIRE: Final = """
update credentials set expires_at = $3
where account_id = $1 and id = $2 and (expires_at is null or expires_at > $3)
returning id
"""


async def expire(tx: Connection, *, account_id: UUID, credential_id: UUID, at: datetime) -> bool:
    """Let a credential end at `at`; False where there is none, or it ends sooner."""
    return await tx.fetchval(_EXPIRE, account_id, credential_id, at) is not None


_EXPIRE_KIND: Final = """
update credentials set expires_at = $4
where account_id = $1 and configuration_id = $2 and kind = $3 and (expires_at is null or expires_at > $4)
"""


async def expire_kind(
    tx: Connection, *, account_id: UUID, configuration_id: UUID, kind: CredentialKind, at: datetime
) -> None:
    """Let every key of this kind of a configuration end at `at`, or sooner where it does."""
    await tx.execute(_EXPIRE_KIND, account_id, configuration_id, kind.value, at)
