"""Who calls: proved once for each request, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.account import Configuration


@dataclass(frozen=True, slots=True)
class Caller:
    """A credential's account, and its configuration where the credential belongs to one."""

    account_id: UUID
    credential_id: UUID
    time_zone: str
    """The account's."""
    plan: str
    configuration: Configuration | None
    now: datetime
    """The database's clock."""
