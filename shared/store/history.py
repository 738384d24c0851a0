"""What a caller may read of a reminder's life (B-043, B-083). Attempts are another table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.domain.reminder import Action, HistoryEntry, Status
from shared.store.database import Connection

_APPEND: Final = """
insert into history (reminder_id, at, action, detail, status)
select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[])
"""


async def append(tx: Connection, entries: Sequence[tuple[UUID, HistoryEntry]]) -> None:
    """Write (reminder, entry) pairs, in order."""
    if not entries:
        return
    await tx.execute(
        _APPEND,
        [reminder for reminder, _ in entries],
        [entry.at for _, entry in entries],
        [entry.action.value for _, entry in entries],
        [entry.detail for _, entry in entries],
        [entry.status.value for _, entry in entries],
    )


_READ: Final = """
select h.reminder_id, h.at, h.action, h.detail, h.status
from history h join reminders r on r.id = h.reminder_id
where r.account_id = $1 and h.reminder_id = any($2)
order by h.id
"""


async def read(db: Connection, *, account_id: UUID, reminder_ids: Sequence[UUID]) -> dict[UUID, list[HistoryEntry]]:
    """Each reminder's entries, oldest first."""
    found: dict[UUID, list[HistoryEntry]] = {reminder: [] for reminder in reminder_ids}
    for row in await db.fetch(_READ, account_id, list(reminder_ids)):
        entry = HistoryEntry(row["at"], Action(row["action"]), row["detail"], Status(row["status"]))
        found[row["reminder_id"]].append(entry)
    return found
