"""Templates: texts with numbered placeholders, registered per configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.recipient import Channel
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Template:
    """`provider_name` is what the provider calls it, where that differs."""

    name: str
    channel: Channel
    language: str | None
    subject: str | None
    body: str
    provider_name: str | None


@dataclass(frozen=True, slots=True)
class KeptTemplate(Template):
    created_at: datetime
    updated_at: datetime


_COLUMNS: Final = "name, channel, language, subject, body, provider_name, created_at, updated_at"


def _kept(row: Any) -> KeptTemplate:
    return KeptTemplate(**{**dict(row), "channel": Channel(row["channel"])})


_INSERT: Final = f"""
insert into templates (id, account_id, configuration_id, name, channel, language, subject, body, provider_name,
    created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
on conflict on constraint templates_one_per_name do nothing
returning {_COLUMNS}
"""


async def insert(
    tx: Connection, template: Template, *, account_id: UUID, configuration_id: UUID, now: datetime
) -> KeptTemplate | None:
    """Register a template; None where the configuration has one of that name."""
    row = await tx.fetchrow(
        _INSERT,
        uuid7(),
        account_id,
        configuration_id,
        template.name,
        template.channel.value,
        template.language,
        template.subject,
        template.body,
        template.provider_name,
        now,
    )
    return _kept(row) if row else None


_UPDATE: Final = f"""
update templates set channel = $4, language = $5, subject = $6, body = $7, provider_name = $8, updated_at = $9
where account_id = $1 and configuration_id = $2 and name = $3
returning {_COLUMNS}
"""


async def update(
    tx: Connection, template: Template, *, account_id: UUID, configuration_id: UUID, now: datetime
) -> KeptTemplate | None:
    """Replace the template of that name; None where there is none."""
    row = await tx.fetchrow(
        _UPDATE,
        account_id,
        configuration_id,
        template.name,
        template.channel.value,
        template.language,
        template.subject,
        template.body,
        template.provider_name,
        now,
    )
    return _kept(row) if row else None


_GET: Final = f"select {_COLUMNS} from templates where account_id = $1 and configuration_id = $2 and name = $3"


async def get(db: Connection, *, account_id: UUID, configuration_id: UUID, name: str) -> KeptTemplate | None:
    """One template."""
    row = await db.fetchrow(_GET, account_id, configuration_id, name)
    return _kept(row) if row else None


_LOCK: Final = f"{_GET} for update"


async def lock(tx: Connection, *, account_id: UUID, configuration_id: UUID, name: str) -> KeptTemplate | None:
    """The same, held until the end of the transaction."""
    row = await tx.fetchrow(_LOCK, account_id, configuration_id, name)
    return _kept(row) if row else None


_LIST: Final = f"""
select {_COLUMNS} from templates where account_id = $1 and configuration_id = $2 order by name
"""


async def list_all(db: Connection, *, account_id: UUID, configuration_id: UUID) -> list[KeptTemplate]:
    """A configuration's templates by name."""
    return [_kept(row) for row in await db.fetch(_LIST, account_id, configuration_id)]


_DELETE: Final = """
delete from templates where account_id = $1 and configuration_id = $2 and name = $3 returning id
"""


async def delete(tx: Connection, *, account_id: UUID, configuration_id: UUID, name: str) -> bool:
    """Remove a template; False where there is none."""
    return await tx.fetchval(_DELETE, account_id, configuration_id, name) is not None
