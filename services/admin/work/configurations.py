"""Configurations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.admin.output import Row
from services.admin.work.database import in_transaction
from services.api.core import configurations as core
from shared.domain.account import Configuration
from shared.domain.recipient import Channel
from shared.domain.refusal import NotFound
from shared.store.configurations import Details
from shared.store.database import Connection


async def of_account(tx: Connection, account_id: UUID) -> Sequence[Configuration]:
    """Every configuration of an account, its default first. Raises `NotFound`: no account has none."""
    found = await core.list_configurations(tx, account_id=account_id)
    if not found:
        raise NotFound("account")
    return found


def create(
    account_id: UUID,
    *,
    agent: str,
    configuration: str | None,
    name: str | None,
    channel: str,
    time_zone: str | None,
) -> Row:
    """A new configuration with its keys. Raises `NotFound`, `Invalid` and `Conflict`."""

    async def work(tx: Connection, now: datetime) -> Row:
        default, *_ = await of_account(tx, account_id)
        details = Details(name=name or agent, channel=Channel(channel), time_zone=time_zone or default.time_zone)
        made = await core.create_configuration(
            tx, account_id=account_id, agent_id=agent, configuration_id=configuration, details=details, now=now
        )
        return {
            "account_id": str(account_id),
            "agent_id": made.agent_id,
            "configuration_id": made.configuration_id,
            "primary_key": made.primary_key,
            "secondary_key": made.secondary_key,
        }

    return in_transaction(work)


def list_all(account_id: UUID) -> list[Row]:
    """An account's configurations. Raises `NotFound`."""

    async def work(tx: Connection, _: datetime) -> list[Row]:
        return [_row(configuration) for configuration in await of_account(tx, account_id)]

    return in_transaction(work)


def _row(configuration: Configuration) -> Row:
    return {
        "agent_id": configuration.agent_id,
        "configuration_id": configuration.configuration_id,
        "name": configuration.name,
        "channel": configuration.channel.value,
        "state": "running" if configuration.running else "paused",
        "time_zone": configuration.time_zone,
        "created_at": configuration.created_at.isoformat(),
    }
