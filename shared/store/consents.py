"""Who may be written to: opt-outs for every door (B-267), and a ledger of what people agreed to (B-268)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.domain.draft import Category
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class OptOut:
    """An address that must not be written to."""

    address: str
    """E.164, or an e-mail address in lower case."""
    source: str
    created_at: datetime


SUPPRESSED: Final = """s.account_id = r.account_id and s.address in (
    case r.channel when 'email' then lower(r.address) else r.address end,
    'erased:' || encode(sha256(convert_to(r.account_id::text || lower(r.address), 'UTF8')), 'hex'))"""
"""Whether `suppressions s` is about the address of `reminders r`.

Of who opted out and was erased the digest of account and address is kept: enough to go on leaving them alone.
"""

_NAMED: Final = """account_id = $1 and address in (
    lower($2), 'erased:' || encode(sha256(convert_to($1::uuid::text || lower($2), 'UTF8')), 'hex'))"""

_SUPPRESS: Final = """
insert into suppressions (account_id, address, source, created_at) values ($1, lower($2), $3, $4)
on conflict do nothing returning address
"""


async def suppress(tx: Connection, address: str, *, account_id: UUID, source: str, now: datetime) -> bool:
    """Write to this address no more, at any door; False where that held before."""
    return await tx.fetchval(_SUPPRESS, account_id, address, source, now) is not None


_RELEASE: Final = f"""
with released as (delete from suppressions where {_NAMED} returning 1)
select count(*) > 0 from released
"""


async def release(tx: Connection, address: str, *, account_id: UUID) -> bool:
    """The address may be written to again; False where it might already."""
    released: bool = await tx.fetchval(_RELEASE, account_id, address)
    return released


_GET: Final = f"""
select lower($2) as address, source, created_at from suppressions where {_NAMED}
order by created_at limit 1
"""


async def get(db: Connection, address: str, *, account_id: UUID) -> OptOut | None:
    """The opt-out of this address."""
    row = await db.fetchrow(_GET, account_id, address)
    return OptOut(**dict(row)) if row else None


_LIST: Final = """
select address, source, created_at from suppressions where account_id = $1 and address not like 'erased:%'
order by created_at desc, address limit $2 offset $3
"""


async def list_all(db: Connection, *, account_id: UUID, limit: int, skip: int) -> list[OptOut]:
    """The newest first; those of whom only a digest is kept cannot be told."""
    return [OptOut(**dict(row)) for row in await db.fetch(_LIST, account_id, limit, skip)]


_COUNT: Final = "select count(*) from suppressions where account_id = $1 and address not like 'erased:%'"


async def count(db: Connection, *, account_id: UUID) -> int:
    """How many addresses of an account opted out and can be told."""
    found: int = await db.fetchval(_COUNT, account_id)
    return found


_ERASE: Final = """
with gone as (delete from suppressions where account_id = $1 and address = any($2)
              returning account_id, address, source, created_at)
insert into suppressions (account_id, address, source, created_at)
select account_id, 'erased:' || encode(sha256(convert_to(account_id::text || address, 'UTF8')), 'hex'), source,
    created_at
from gone on conflict do nothing
"""


async def erase(tx: Connection, addresses: Sequence[str], *, account_id: UUID) -> None:
    """Keep of the opt-outs of these addresses a digest alone: they go on to hold."""
    await tx.execute(_ERASE, account_id, [address.lower() for address in addresses])


@dataclass(frozen=True, slots=True)
class Consent:
    """One thing that was said, when and where."""

    category: Category
    granted: bool
    source: str
    at: datetime


_RECORD: Final = """
insert into consents (account_id, contact_id, category, granted, source, at) values ($1, $2, $3, $4, $5, $6)
"""


async def record(tx: Connection, consent: Consent, *, account_id: UUID, contact_id: UUID) -> None:
    """Add to a contact's ledger; the newest entry holds."""
    await tx.execute(
        _RECORD, account_id, contact_id, consent.category.value, consent.granted, consent.source, consent.at
    )


_READ: Final = """
select category, granted, source, at from consents where account_id = $1 and contact_id = $2 order by id
"""


async def read(db: Connection, *, account_id: UUID, contact_id: UUID) -> Sequence[Consent]:
    """A contact's ledger, oldest first."""
    rows = await db.fetch(_READ, account_id, contact_id)
    return [Consent(Category(row["category"]), row["granted"], row["source"], row["at"]) for row in rows]
