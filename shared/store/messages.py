"""Single messages: a planned send as the one to whom it matters may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.domain.occurrence import State
from shared.domain.receipt import Report
from shared.domain.recipient import Channel
from shared.store.database import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """One planned send of any door."""

    id: UUID
    """The occurrence's."""
    contact_id: UUID | None
    channel: Channel
    state: State
    body: str | None
    """None where a template makes it."""
    attempts: int
    """Calls to the provider so far."""
    sent_at: datetime | None
    reason: str | None
    receipt: Report | None
    """The furthest that its provider has reported."""
    receipt_at: datetime | None
    created_at: datetime


_COLUMNS: Final = """o.id, r.contact_id, r.channel, o.state, coalesce(o.text, r.text) as body, o.attempt as attempts,
    case when o.state = 'sent' then o.ended_at end as sent_at, o.reason, o.receipt, o.receipt_at,
    r.created_at"""

_GET: Final = f"""
select {_COLUMNS} from occurrences o join reminders r on r.id = o.reminder_id where o.account_id = $1 and o.id = $2
"""


async def get(db: Connection, *, account_id: UUID, id: UUID) -> Message | None:
    """A message by its own id."""
    return _message(await db.fetchrow(_GET, account_id, id))


_FIRST: Final = f"""
select {_COLUMNS} from occurrences o join reminders r on r.id = o.reminder_id
where o.account_id = $1 and o.reminder_id = $2 order by o.seq limit 1
"""


async def first_of(db: Connection, *, account_id: UUID, reminder_id: UUID) -> Message | None:
    """The first message of a reminder."""
    return _message(await db.fetchrow(_FIRST, account_id, reminder_id))


def _message(row: Any) -> Message | None:
    if row is None:
        return None
    receipt = Report(row["receipt"]) if row["receipt"] else None
    read = {"state": State(row["state"]), "channel": Channel(row["channel"]), "receipt": receipt}
    return Message(**{**dict(row), **read})
