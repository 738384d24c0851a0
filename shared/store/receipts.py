"""What providers report of messages: found by the reference that went out with them, and written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.domain.receipt import Receipt, Report
from shared.store.database import Connection

_FIND: Final = """
select place, o.id, o.reminder_id
from unnest($1::uuid[], $2::uuid[]) with ordinality as asked (occurrence_id, attempt_id, place)
left join attempts a on asked.occurrence_id is null and a.id = asked.attempt_id
join occurrences o on o.id = coalesce(asked.occurrence_id, a.occurrence_id)
"""


async def find(db: Connection, receipts: Sequence[Receipt]) -> dict[int, tuple[UUID, UUID]]:
    """(occurrence, reminder) of those that are somebody's, by their place in the list."""
    rows = await db.fetch(_FIND, [one.occurrence_id for one in receipts], [one.attempt_id for one in receipts])
    return {row["place"] - 1: (row["id"], row["reminder_id"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Known:
    """What was reported of a send so far, and to whom it went."""

    report: Report | None
    address: str


_KNOWN: Final = """
select o.id, o.receipt, r.address from occurrences o join reminders r on r.id = o.reminder_id where o.id = any($1)
"""


async def known(tx: Connection, occurrence_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """How far these were reported to be; they must be locked already."""
    rows = await tx.fetch(_KNOWN, list(occurrence_ids))
    return {row["id"]: Known(Report(row["receipt"]) if row["receipt"] else None, row["address"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Noted:
    """What is written of one receipt."""

    occurrence_id: UUID
    report: Report
    message_id: str
    at: datetime


_NOTE: Final = """
update occurrences o
set receipt = noted.report, receipt_at = noted.at,
    provider_message_id = coalesce(o.provider_message_id, noted.message_id)
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as noted (id, report, message_id, at)
where o.id = noted.id
"""


async def note(tx: Connection, noted: Sequence[Noted]) -> None:
    """Write how far these came."""
    if noted:
        await tx.execute(
            _NOTE,
            [one.occurrence_id for one in noted],
            [one.report.value for one in noted],
            [one.message_id for one in noted],
            [one.at for one in noted],
        )


_FURTHER: Final = "update reminders set sequence = sequence + $2 where id = $1 returning sequence"


async def number_events(tx: Connection, reminder_id: UUID, *, count: int) -> int:
    """Take so many numbers for events of a held reminder; returns the first. Nothing else of it changes."""
    last: int = await tx.fetchval(_FURTHER, reminder_id, count)
    return last - count + 1
