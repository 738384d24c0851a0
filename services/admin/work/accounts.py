"""Accounts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.admin.output import Row
from services.admin.work.database import in_transaction
from services.api.core import accounts as core
from shared.domain.recipient import Channel
from shared.domain.refusal import Invalid, Problem
from shared.store import accounts as store
from shared.store.database import Connection

_EMAIL: Final = re.compile(r"(?=.{3,254}$)[^\s@<>(),;:\"]{1,64}@[^\W_]([\w-]*\w)?(\.[^\W_]([\w-]*\w)?)+")
"""One address and nothing around it; whether anybody reads there only a message can tell."""


def create(name: str, *, email: str | None, time_zone: str, channel: str) -> Row:
    """A new account with its keys. Raises `Invalid`."""
    _check(email)

    async def work(tx: Connection, now: datetime) -> Row:
        made = await core.create_account(
            tx, name=name, owner_email=email, time_zone=time_zone, channel=Channel(channel), now=now
        )
        return {
            "account_id": str(made.account_id),
            "api_key": made.api_key,
            "agent_id": made.default.agent_id,
            "configuration_id": made.default.configuration_id,
            "primary_key": made.default.primary_key,
            "secondary_key": made.default.secondary_key,
        }

    return in_transaction(work)


def change(
    account_id: UUID,
    *,
    email: str | None,
    time_zone: str | None,
    reminder_hour: int | None,
    plan: Literal["free", "paid"] | None,
    quota: str | None,
) -> Row:
    """The account as it is now; `quota` is a number, or `none`. Raises `Invalid`, `NotFound`."""
    _check(email)
    segments = _quota(quota)

    async def work(tx: Connection, now: datetime) -> Row:
        await core.change_account(
            tx,
            account_id,
            owner_email=email,
            time_zone=time_zone,
            reminder_hour=reminder_hour,
            plan=plan,
            quota=segments,
            now=now,
        )
        account = await store.get(tx, account_id)
        return {
            "account_id": str(account.id),
            "owner_email": account.owner_email,
            "time_zone": account.time_zone,
            "reminder_hour": account.reminder_hour,
            "plan": account.plan,
            "quota": account.quota,
        }

    return in_transaction(work)


def _check(email: str | None) -> None:
    if email is not None and _EMAIL.fullmatch(email) is None:
        raise Invalid([Problem("email", "an address such as owner@example.com")])


def _quota(text: str | None) -> int | core.Unlimited | None:
    if text is None:
        return None
    if text == "none":
        return core.Unlimited()
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise Invalid([Problem("quota", "a number of SMS segments, or none")])
    return int(text)


def list_all() -> list[Row]:
    """Every account."""

    async def work(tx: Connection, _: datetime) -> list[Row]:
        return [_row(account) for account in await store.list_all(tx)]

    return in_transaction(work)


def _row(account: store.ListedAccount) -> Row:
    return {
        "account_id": str(account.id),
        "number": account.number,
        "name": account.name,
        "owner_email": account.owner_email,
        "time_zone": account.time_zone,
        "reminder_hour": account.reminder_hour,
        "plan": account.plan,
        "created_at": account.created_at.isoformat(),
    }
