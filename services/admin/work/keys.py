"""Keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from services.admin.output import Row
from services.admin.work.configurations import of_account
from services.admin.work.database import in_transaction
from services.api.core import credentials as core
from services.api.core.configurations import get_configuration
from shared.domain.account import Configuration, CredentialKind
from shared.store import credentials as store
from shared.store.database import Connection


def list_all(account_id: UUID) -> list[Row]:
    """What may be shown of an account's keys. Raises `NotFound`."""

    async def work(tx: Connection, _: datetime) -> list[Row]:
        by_id = {configuration.id: configuration for configuration in await of_account(tx, account_id)}
        listed = await store.list_all(tx, account_id=account_id)
        return [_row(key, by_id.get(key.configuration_id) if key.configuration_id else None) for key in listed]

    return in_transaction(work)


def _row(key: store.Listed, configuration: Configuration | None) -> Row:
    return {
        "key_id": str(key.id),
        "kind": key.kind.value,
        "begins_with": key.prefix,
        "agent_id": configuration.agent_id if configuration else None,
        "configuration_id": configuration.configuration_id if configuration else None,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
    }


def create(account_id: UUID) -> Row:
    """Another API key. Raises `NotFound`."""

    async def work(tx: Connection, now: datetime) -> Row:
        await of_account(tx, account_id)
        return {"api_key": await core.create_api_key(tx, account_id=account_id, now=now)}

    return in_transaction(work)


def refresh(account_id: UUID, *, agent: str, configuration: str, kind: str | None, grace: float) -> Row:
    """New keys of a configuration, of one kind or both. Raises `NotFound`."""

    async def work(tx: Connection, now: datetime) -> Row:
        found = await get_configuration(tx, account_id=account_id, agent_id=agent, configuration_id=configuration)
        kinds = (CredentialKind(kind),) if kind else core.KEY_PAIR
        fresh = await core.refresh_keys(tx, found, kinds, grace=timedelta(seconds=grace), now=now)
        return {f"{of.value}_key": secret for of, secret in fresh.items()}

    return in_transaction(work)


def expire(account_id: UUID, key_id: UUID, *, grace: float) -> Row:
    """Let a key end. Raises `NotFound` where it is not there, or ends sooner."""

    async def work(tx: Connection, now: datetime) -> Row:
        at = now + timedelta(seconds=grace)
        await core.expire_credential(tx, account_id=account_id, credential_id=key_id, at=at)
        return {"key_id": str(key_id), "expires_at": at.isoformat()}

    return in_transaction(work)
