"""Sends whose answer was lost, at providers that can be asked for a message: which to ask about next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.store.database import Connection
from shared.store.occurrences import Begun

_TAKE: Final = """
with due as materialized (
    select id from occurrences where look_up_at <= $1 and provider = any($2)
    order by look_up_at limit $3 for update skip locked)
update occurrences o
set look_up_at = case
    when o.state in ('uncertain', 'scheduled') and $1 < o.attempt_started_at + $4::interval
    then $1 + least(greatest($1 - o.attempt_started_at, $5::interval), $6::interval) end
from due, reminders r
left join templates t on t.configuration_id = r.configuration_id and t.name = r.template_name
where o.id = due.id and r.id = o.reminder_id
returning o.id, o.account_id, o.reminder_id, r.external_id, o.attempt_id, o.attempt, o.key_epoch, o.scheduled_for,
    o.provider, r.channel, r.address, r.template_name, t.id is not null as registered, t.provider_name, t.language,
    t.body, t.subject as template_subject, r.parameters, coalesce(o.text, r.text) as text,
    coalesce(o.subject, r.subject) as subject, o.attempt_started_at as began_at,
    o.state in ('uncertain', 'scheduled') as in_doubt
"""


@dataclass(frozen=True, slots=True)
class Sought:
    """A send with all that its provider needs to find it."""

    begun: Begun
    began_at: datetime


async def take(
    tx: Connection,
    *,
    now: datetime,
    providers: Sequence[str],
    limit: int,
    lasting: timedelta,
    least: timedelta,
    most: timedelta,
) -> list[Sought]:
    """Up to `limit` that are to be asked about now; others take others.

    Each comes again after as long as it has been in doubt, between `least` and `most`, until `lasting` is over.
    """
    rows = await tx.fetch(_TAKE, now, list(providers), limit, lasting, least, most)
    found = []
    for row in rows:
        facts = dict(row)
        began_at, in_doubt = facts.pop("began_at"), facts.pop("in_doubt")
        if in_doubt:
            found.append(Sought(Begun(**facts), began_at))
    return found


_TAKEN: Final = """
select o.provider_message_id from reminders r join occurrences o on o.reminder_id = r.id
where r.account_id = $1 and r.address = $2 and o.id <> $3 and o.provider_message_id = any($4)
"""


async def taken(db: Connection, sought: Sought, message_ids: Sequence[str]) -> set[str]:
    """Which of these messages are known as other sends to the same person."""
    begun = sought.begun
    rows = await db.fetch(_TAKEN, begun.account_id, begun.address, begun.id, list(message_ids))
    return {row["provider_message_id"] for row in rows}


_RIVALS: Final = """
select count(*) from reminders r join occurrences o on o.reminder_id = r.id
where r.account_id = $1 and r.address = $2 and o.id <> $3 and o.provider_message_id is null
  and o.attempt_started_at between $4::timestamptz - $5::interval and $4::timestamptz + $5::interval
"""


async def rivals(db: Connection, sought: Sought, *, within: timedelta) -> int:
    """How many other sends to the same person, begun at about the same time, a message might be that nobody names."""
    begun = sought.begun
    counted: int = await db.fetchval(_RIVALS, begun.account_id, begun.address, begun.id, sought.began_at, within)
    return counted
