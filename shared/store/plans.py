"""The planned sends of one reminder, as a caller's change needs them: look, stop, move, add.

Locks are taken on the reminder first and on its occurrences then, in the order of ids, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place, Planned
from shared.store import occurrences
from shared.store.database import Connection

SOON: Final = timedelta(seconds=2)
"""What falls due within this wakes the schedulers; they look by themselves at least as often."""

_HOLD: Final = """
select o.id from occurrences o join reminders r on r.id = o.reminder_id
where r.account_id = $1 and o.reminder_id = $2 and o.state in ('scheduled', 'queued', 'sending')
order by o.id for update of o
"""

_LOOK: Final = """
select o.id, o.seq, o.scheduled_for, o.state, o.kind,
    coalesce(o.reason in ('replaced', 'rules_changed'), false) as replaced
from occurrences o join reminders r on r.id = o.reminder_id
where r.account_id = $1 and o.reminder_id = $2 order by o.seq
"""


async def hold(tx: Connection, *, account_id: UUID, reminder_id: UUID) -> list[Place]:
    """All places of a reminder that the caller has locked, the unfinished ones locked too.

    Two statements: the second sees what the first waited for.
    """
    await tx.execute(_HOLD, account_id, reminder_id)
    rows = await tx.fetch(_LOOK, account_id, reminder_id)
    return [
        Place(row["id"], row["seq"], row["scheduled_for"], State(row["state"]), Kind(row["kind"]), row["replaced"])
        for row in rows
    ]


_HOLD_REMINDERS: Final = """
select id from reminders where account_id = $1 and id = any($2) order by id for update
"""

_HOLD_PLACES: Final = """
select o.id from occurrences o join reminders r on r.id = o.reminder_id
where r.account_id = $1 and o.reminder_id = any($2) and o.state in ('scheduled', 'queued', 'sending')
order by o.id for update of o
"""


async def hold_all(tx: Connection, *, account_id: UUID, reminder_ids: Sequence[UUID]) -> None:
    """Lock all these reminders and then all their unfinished places, each in the order of ids.

    Who holds one reminder with its places after the other goes against that order: a send's id may be older than that
    of a reminder before its own.
    """
    await tx.execute(_HOLD_REMINDERS, account_id, list(reminder_ids))
    await tx.execute(_HOLD_PLACES, account_id, list(reminder_ids))


_STOP: Final = """
update occurrences set state = 'cancelled', version = version + 1, lease_until = null, ended_at = $3, reason = $4
where account_id = $1 and id = any($2) and state in ('scheduled', 'queued')
"""


async def stop(tx: Connection, occurrence_ids: Sequence[UUID], *, account_id: UUID, now: datetime, reason: str) -> None:
    """End held places before anything goes to a provider; the version fences hints that are under way."""
    if occurrence_ids:
        await tx.execute(_STOP, account_id, list(occurrence_ids), now, reason)


_MOVE: Final = """
update occurrences o set seq = moved.seq, text = moved.text, state = 'scheduled', version = version + 1,
    lease_until = null
from unnest($2::uuid[], $3::int[], $4::text[]) as moved (id, seq, text)
where o.account_id = $1 and o.id = moved.id and o.state in ('scheduled', 'queued')
"""


async def move(tx: Connection, moved: Sequence[tuple[UUID, int, Planned]], *, account_id: UUID) -> None:
    """Give held places another `seq` and text; a queued one is claimed anew."""
    if moved:
        ids, seqs, planned = zip(*moved, strict=True)
        await tx.execute(_MOVE, account_id, list(ids), list(seqs), [one.text for one in planned])


_NEW_KEYS: Final = """
with tried as materialized (
    select id from occurrences
    where account_id = $1 and reminder_id = any($2) and state in ('scheduled', 'queued', 'sending')
      and key_epoch < attempt
    order by id for update)
update occurrences o set key_epoch = o.attempt from tried where o.id = tried.id
"""


async def new_keys(tx: Connection, reminder_ids: Sequence[UUID], *, account_id: UUID) -> None:
    """What was tried goes out under another key from now on: to another address it is another message (B-241).

    Under the same one a provider would answer with what became of the old address, and send nothing.
    """
    if reminder_ids:
        await tx.execute(_NEW_KEYS, account_id, list(reminder_ids))


_ADD: Final = """
insert into occurrences (id, reminder_id, account_id, seq, kind, scheduled_for, due_at, text, state, reason, ended_at)
select id, $2, $1, seq, kind, at, at, text, case when skipped is null then 'scheduled' else 'skipped' end, skipped,
    case when skipped is not null then $9::timestamptz end
from unnest($3::uuid[], $4::int[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
     as added (id, seq, kind, at, text, skipped)
"""


async def add(
    tx: Connection, added: Sequence[tuple[int, Planned]], *, account_id: UUID, reminder_id: UUID, now: datetime
) -> None:
    """New places, due at their times; what is skipped from the start has ended at `now`."""
    if added:
        planned = [one for _, one in added]
        await tx.execute(
            _ADD,
            account_id,
            reminder_id,
            [uuid7() for _ in added],
            [seq for seq, _ in added],
            [one.kind.value for one in planned],
            [one.at for one in planned],
            [one.text for one in planned],
            [one.skipped for one in planned],
            now,
        )


async def ring_if_soon(tx: Connection, first: datetime | None, *, now: datetime) -> None:
    """Wake the schedulers where the first send of what this transaction wrote is due at once."""
    if first is not None and first <= now + SOON:
        await occurrences.ring(tx)
