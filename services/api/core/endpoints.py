"""Webhook endpoints: who wants which events, where, and the secrets that sign them (B-147 to B-154, C-3)."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.core.policy import Core
from shared.domain.address_guard import Network
from shared.domain.endpoint import Disabled
from shared.domain.events import EndpointDisabled
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem
from shared.domain.signature import SECRET_BYTES, Rotation, new_secret
from shared.domain.webhook_body import REPORTED
from shared.domain.webhook_url import BadUrl, check_url
from shared.messages.catalogue import EVENTS
from shared.runtime.keyring import Keyring
from shared.store import delivery_upkeep, endpoint_health, outbox
from shared.store import endpoints as store
from shared.store.database import Connection
from shared.store.endpoints import Endpoint
from shared.store.outbox import Recorded

__all__ = ["Disabled", "Endpoint", "Rotation"]

EVENT_TYPES: Final = tuple(event.TYPE for event in EVENTS)
"""What an endpoint may subscribe to."""

RESUMED_AT_ONCE: Final = 1000
"""Held deliveries that enabling takes along; the webhook service does the rest within seconds."""


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint with its new secret in the clear, once."""

    endpoint: Endpoint
    secret: str


async def create_endpoint(
    tx: Connection,
    core: Core,
    *,
    account_id: UUID,
    name: str,
    target_url: str,
    event_types: Sequence[str],
    now: datetime,
) -> WithSecret:
    """Raises `Invalid`, naming `target_url`."""
    _check(target_url, core.networks, field="target_url")
    id = uuid7()
    secret = new_secret(os.urandom(SECRET_BYTES))
    endpoint = await store.insert(
        tx,
        id=id,
        account_id=account_id,
        name=name,
        target_url=target_url,
        event_types=list(dict.fromkeys(event_types)),
        secret=core.keyring.seal(secret, account_id=account_id, row_id=id),
        now=now,
    )
    return WithSecret(endpoint, secret)


async def list_endpoints(db: Connection, *, account_id: UUID) -> list[Endpoint]:
    """Oldest first; those of configurations too."""
    return await store.list_(db, account_id=account_id)


async def get_endpoint(db: Connection, *, account_id: UUID, id: UUID) -> Endpoint:
    """Raises `NotFound`."""
    return _found(await store.get(db, account_id=account_id, id=id))


async def change_endpoint(
    tx: Connection,
    core: Core,
    *,
    account_id: UUID,
    id: UUID,
    name: str | None = None,
    target_url: str | None = None,
    event_types: Sequence[str] | None = None,
    enabled: bool | None = None,
    now: datetime,
) -> Endpoint:
    """Change what is not None. Raises `NotFound`, `Invalid`, and `Conflict` for what a configuration decides."""
    endpoint = _found(await store.lock(tx, account_id=account_id, id=id))
    if endpoint.configuration_id is not None and (target_url is not None or event_types is not None):
        raise Conflict("endpoint_of_configuration", "its URL and its events belong to a configuration; change that")
    if target_url is not None:
        _check(target_url, core.networks, field="target_url")
    types = None if event_types is None else list(dict.fromkeys(event_types))
    await store.change(tx, account_id=account_id, id=id, name=name, target_url=target_url, event_types=types, now=now)
    if enabled is True:
        await _enable(tx, account_id=account_id, id=id, now=now)
    elif enabled is False:
        await _disable(tx, account_id=account_id, id=id, now=now)
    return await get_endpoint(tx, account_id=account_id, id=id)


async def enable_endpoint(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> Endpoint:
    """Switch it on with a clean slate; what was held is sent. Raises `NotFound`."""
    await _enable(tx, account_id=account_id, id=id, now=now)
    return await get_endpoint(tx, account_id=account_id, id=id)


async def delete_endpoint(tx: Connection, *, account_id: UUID, id: UUID) -> None:
    """Remove it with its deliveries: no retry follows (B-153). Raises `NotFound`."""
    if not await store.delete(tx, account_id=account_id, id=id):
        raise NotFound("endpoint")


async def stage_secret(tx: Connection, core: Core, *, account_id: UUID, id: UUID, now: datetime) -> WithSecret:
    """First phase: a new secret signs too, after the old one. Raises `NotFound`, `Conflict`.

    Staged again it takes the place of the one before, whose answer may have been lost: nobody needs that one yet,
    because the old one still signs first.
    """
    endpoint = await _in_phase(tx, account_id, id, Rotation.NONE, Rotation.STAGED)
    secret = new_secret(os.urandom(SECRET_BYTES))
    changed = await store.set_secrets(
        tx,
        account_id=account_id,
        id=id,
        secret=endpoint.secret,
        next_secret=core.keyring.seal(secret, account_id=account_id, row_id=id),
        rotation=Rotation.STAGED,
        now=now,
    )
    return WithSecret(_found(changed), secret)


async def promote_secret(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> Endpoint:
    """Second phase: the new secret signs first, the old one after it. Raises `NotFound`, `Conflict`."""
    endpoint = await _in_phase(tx, account_id, id, Rotation.STAGED)
    return await _rotate(tx, endpoint, endpoint.secret, endpoint.next_secret, phase=Rotation.PROMOTED, now=now)


async def retire_secret(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> Endpoint:
    """Last phase: the old secret is forgotten. Raises `NotFound`, `Conflict`."""
    endpoint = await _in_phase(tx, account_id, id, Rotation.PROMOTED)
    return await _rotate(tx, endpoint, endpoint.next_secret or endpoint.secret, None, phase=Rotation.NONE, now=now)


async def set_configuration_webhook(
    tx: Connection,
    *,
    account_id: UUID,
    configuration_id: UUID,
    url: str | None,
    keyring: Keyring,
    networks: Collection[Network],
    now: datetime,
    field: str = "integrationSettings.webhookUrl",
) -> str | None:
    """Give a configuration the webhook URL `url`, or take it away where that is empty (C-3).

    Returns the signing secret where it is new, because the URL is; another URL is another receiver. `configuration_id`
    is the row's. Raises `Invalid`, naming `field`.
    """
    present = await store.of_configuration(tx, account_id=account_id, configuration_id=configuration_id)
    if present is not None and present.target_url == url:
        return None
    if url:
        _check(url, networks, field=field)
    if present is not None:
        await store.delete(tx, account_id=account_id, id=present.id)
    if not url:
        return None
    id, secret = uuid7(), new_secret(os.urandom(SECRET_BYTES))
    await store.insert(
        tx,
        id=id,
        account_id=account_id,
        configuration_id=configuration_id,
        name="configuration webhook",
        target_url=url,
        format="attempt",
        event_types=REPORTED,
        secret=keyring.seal(secret, account_id=account_id, row_id=id),
        now=now,
    )
    return secret


def _check(url: str, networks: Collection[Network], *, field: str) -> None:
    try:
        check_url(url, networks)
    except BadUrl as error:
        raise Invalid([Problem(field, str(error), "url_refused")]) from None


def _found(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise NotFound("endpoint")
    return endpoint


async def _enable(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> None:
    if await endpoint_health.enable(tx, account_id=account_id, id=id, now=now):
        await delivery_upkeep.resume(tx, id, limit=RESUMED_AT_ONCE)


async def _disable(tx: Connection, *, account_id: UUID, id: UUID, now: datetime) -> None:
    found = await endpoint_health.disable(tx, account_id=account_id, id=id, reason=Disabled.OWNER, now=now)
    if found is None:
        return
    sequence, at = found
    await delivery_upkeep.hold(tx, [id], limit=RESUMED_AT_ONCE)
    event = EndpointDisabled(endpoint_id=id, reason=Disabled.OWNER)
    await outbox.append(tx, [Recorded(event, account_id, at, sequence)])


async def _in_phase(tx: Connection, account_id: UUID, id: UUID, *phases: Rotation) -> Endpoint:
    endpoint = _found(await store.lock(tx, account_id=account_id, id=id))
    if endpoint.rotation not in phases:
        raise Conflict(
            "rotation_phase",
            "a rotation goes stage, promote, retire",
            {"rotation": endpoint.rotation.value, "needed": " or ".join(phases)},
        )
    return endpoint


async def _rotate(
    tx: Connection, endpoint: Endpoint, secret: bytes, following: bytes | None, *, phase: Rotation, now: datetime
) -> Endpoint:
    changed = await store.set_secrets(
        tx,
        account_id=endpoint.account_id,
        id=endpoint.id,
        secret=secret,
        next_secret=following,
        rotation=phase,
        now=now,
    )
    return _found(changed)
