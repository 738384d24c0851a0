"""Endpoints: who wants events, where, and signed with what. Secrets are ciphertext here, always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.domain.signature import Rotation
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row, as its owner sees it and as it signs."""

    id: UUID
    account_id: UUID
    configuration_id: UUID | None
    name: str
    target_url: str
    source: str
    format: str
    status: str
    event_types: tuple[str, ...]
    secret: bytes
    next_secret: bytes | None
    rotation: Rotation
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime
    updated_at: datetime


_COLUMNS: Final = """id, account_id, configuration_id, name, target_url, source, format, status, event_types, secret,
    next_secret, rotation, disabled_at, disabled_reason, created_at, updated_at"""

_INSERT: Final = f"""
insert into endpoints (id, account_id, configuration_id, name, target_url, source, format, event_types, secret,
                       created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
        coalesce($10::timestamptz, clock_timestamp()), coalesce($10::timestamptz, clock_timestamp()))
returning {_COLUMNS}
"""


async def insert(
    tx: Connection,
    *,
    id: UUID,
    account_id: UUID,
    configuration_id: UUID | None = None,
    name: str,
    target_url: str,
    format: str = "envelope",
    event_types: Sequence[str],
    secret: bytes,
    now: datetime | None,
) -> Endpoint:
    """Add an active endpoint; `secret` is sealed for this row."""
    source = "manual" if configuration_id is None else "configuration"
    row = await tx.fetchrow(
        _INSERT, id, account_id, configuration_id, name, target_url, source, format, list(event_types), secret, now
    )
    return _endpoint(row)


_GET: Final = f"select {_COLUMNS} from endpoints where id = $1 and account_id = $2"


async def get(db: Connection, *, account_id: UUID, id: UUID) -> Endpoint | None:
    """One endpoint of this account."""
    row = await db.fetchrow(_GET, id, account_id)
    return _endpoint(row) if row else None


_LOCK: Final = f"{_GET} for no key update"


async def lock(tx: Connection, *, account_id: UUID, id: UUID) -> Endpoint | None:
    """The same, and nobody else changes it until the end of the transaction."""
    row = await tx.fetchrow(_LOCK, id, account_id)
    return _endpoint(row) if row else None


_OF_CONFIGURATION: Final = f"""
select {_COLUMNS} from endpoints where configuration_id = $1 and account_id = $2 for no key update
"""


async def of_configuration(tx: Connection, *, account_id: UUID, configuration_id: UUID) -> Endpoint | None:
    """The endpoint behind a configuration's webhook URL (C-3), locked."""
    row = await tx.fetchrow(_OF_CONFIGURATION, configuration_id, account_id)
    return _endpoint(row) if row else None


_LIST: Final = f"select {_COLUMNS} from endpoints where account_id = $1 order by created_at, id"


async def list_(db: Connection, *, account_id: UUID) -> list[Endpoint]:
    """All of an account, oldest first."""
    return [_endpoint(row) for row in await db.fetch(_LIST, account_id)]


_CHANGE: Final = f"""
update endpoints set name = coalesce($3, name), target_url = coalesce($4, target_url),
    event_types = coalesce($5, event_types), updated_at = coalesce($6::timestamptz, clock_timestamp())
where id = $1 and account_id = $2 returning {_COLUMNS}
"""


async def change(
    tx: Connection,
    *,
    account_id: UUID,
    id: UUID,
    name: str | None = None,
    target_url: str | None = None,
    event_types: Sequence[str] | None = None,
    now: datetime | None,
) -> Endpoint | None:
    """Change what is not None."""
    types = None if event_types is None else list(event_types)
    row = await tx.fetchrow(_CHANGE, id, account_id, name, target_url, types, now)
    return _endpoint(row) if row else None


_SET_SECRETS: Final = f"""
update endpoints set secret = $3, next_secret = $4, rotation = $5,
    updated_at = coalesce($6::timestamptz, clock_timestamp())
where id = $1 and account_id = $2 returning {_COLUMNS}
"""


async def set_secrets(
    tx: Connection,
    *,
    account_id: UUID,
    id: UUID,
    secret: bytes,
    next_secret: bytes | None,
    rotation: Rotation,
    now: datetime | None,
) -> Endpoint | None:
    """Move a rotation on; both secrets are sealed for this row."""
    row = await tx.fetchrow(_SET_SECRETS, id, account_id, secret, next_secret, rotation.value, now)
    return _endpoint(row) if row else None


_DELETE: Final = "delete from endpoints where id = $1 and account_id = $2 returning id"


async def delete(tx: Connection, *, account_id: UUID, id: UUID) -> bool:
    """Remove it with its deliveries and their attempts (B-153); whether it was there."""
    return await tx.fetchval(_DELETE, id, account_id) is not None


def _endpoint(row: Any) -> Endpoint:
    values = dict(row)
    values["event_types"] = tuple(values["event_types"])
    values["rotation"] = Rotation(values["rotation"])
    return Endpoint(**values)
