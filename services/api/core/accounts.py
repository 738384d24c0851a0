"""Makes accounts. Each is born with a configuration named `default` and one API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.core.configurations import NewConfiguration, create_configuration
from services.api.core.credentials import create_api_key
from shared.domain.account import DEFAULT_NAME
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid, Problem
from shared.domain.schedule import BadZone, zone
from shared.store import accounts as store
from shared.store.configurations import Details
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class NewAccount:
    """With its secrets in the clear, once."""

    account_id: UUID
    api_key: str
    default: NewConfiguration


async def create_account(
    tx: Connection,
    *,
    name: str,
    owner_email: str | None = None,
    time_zone: str = "UTC",
    channel: Channel = Channel.SMS,
    now: datetime | None = None,
) -> NewAccount:
    """A new account; `channel` is its default configuration's. Raises `Invalid`."""
    _check(name, time_zone)
    account_id = await store.insert(tx, name=name, owner_email=owner_email, time_zone=time_zone, now=now)
    default = await create_configuration(
        tx,
        account_id=account_id,
        agent_id=DEFAULT_NAME,
        configuration_id=DEFAULT_NAME,
        details=Details(name=DEFAULT_NAME, channel=channel, time_zone=time_zone),
        now=now,
    )
    return NewAccount(account_id, await create_api_key(tx, account_id=account_id, now=now), default)


def _check(name: str, time_zone: str) -> None:
    problems = []
    if not 1 <= len(name) <= 255 or not name.isprintable():
        problems.append(Problem("name", "1 to 255 printable characters"))
    try:
        zone(time_zone)
    except BadZone as error:
        problems.append(Problem("time_zone", str(error)))
    if problems:
        raise Invalid(problems)
