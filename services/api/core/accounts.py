"""Makes and changes accounts. Each is born with a configuration named `default` and one API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.api.core.configurations import NewConfiguration, create_configuration
from services.api.core.credentials import create_api_key
from shared.domain.account import DEFAULT_NAME
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid, NotFound, Problem
from shared.domain.schedule import BadZone, zone
from shared.store import accounts as store
from shared.store.accounts import Unlimited
from shared.store.configurations import Details
from shared.store.database import Connection

LAST_HOUR: Final = 23
MOST_QUOTA: Final = 2**31 - 1

__all__ = ["NewAccount", "Unlimited", "change_account", "create_account"]


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


async def change_account(
    tx: Connection,
    account_id: UUID,
    *,
    owner_email: str | None = None,
    time_zone: str | None = None,
    reminder_hour: int | None = None,
    plan: Literal["free", "paid"] | None = None,
    quota: int | Unlimited | None = None,
    now: datetime,
) -> None:
    """Change what is not None. Reminders to the owner follow the address; they keep the hour and zone of their making.

    `quota` is in SMS segments of one-time messages for each month (B-143). Raises `Invalid`, and `NotFound`.
    """
    problems = _zone_problems(time_zone) if time_zone is not None else []
    if reminder_hour is not None and not 0 <= reminder_hour <= LAST_HOUR:
        problems.append(Problem("reminder_hour", f"0 to {LAST_HOUR}"))
    if isinstance(quota, int) and not 0 <= quota <= MOST_QUOTA:
        problems.append(Problem("quota", f"0 to {MOST_QUOTA}, or none"))
    if problems:
        raise Invalid(problems)
    changed = await store.change(
        tx,
        account_id,
        owner_email=owner_email,
        time_zone=time_zone,
        reminder_hour=reminder_hour,
        plan=plan,
        quota=quota,
    )
    if not changed:
        raise NotFound("account")
    if owner_email is not None:
        await store.readdress(tx, account_id, now=now)


def _check(name: str, time_zone: str) -> None:
    problems = []
    if not 1 <= len(name) <= 255 or not name.isprintable():
        problems.append(Problem("name", "1 to 255 printable characters"))
    problems += _zone_problems(time_zone)
    if problems:
        raise Invalid(problems)


def _zone_problems(time_zone: str) -> list[Problem]:
    try:
        zone(time_zone)
    except BadZone as error:
        return [Problem("time_zone", str(error))]
    return []
