"""The duty beside the doors that moves the due dates of recurrent contacts on (B-113 to B-116).

Any number of processes may do so at once: each takes what nobody holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from services.api.core.contacts import change_contact
from services.api.core.policy import Core
from shared.domain.contact import Contact
from shared.domain.due import advanced
from shared.domain.schedule import BadTime
from shared.runtime.logging import where
from shared.runtime.loops import AWAY
from shared.runtime.runtime import Runtime
from shared.store import contact_upkeep, occurrences
from shared.store.contact_upkeep import WINDOW
from shared.store.database import Connection
from shared.store.occurrences import Mark

log = structlog.get_logger()

BATCH: Final = 50
"""Contacts of one look."""

EVERY: Final = 10.0
"""Seconds between looks where nobody's day is over."""

SOON: Final = 0.5
"""Seconds until the next look where others held all that were found, or more wait than one look reads."""

LATER: Final = timedelta(hours=1)
"""When a contact is looked at again whom something kept from moving on."""

SOURCE: Final = "recurrence"


class Advancing:
    """A tick for `run_ticks`."""

    def __init__(self, runtime: Runtime, core: Core, *, batch: int = BATCH) -> None:
        self._runtime, self._core, self._batch = runtime, core, batch
        self._after: Mark | None = None
        """How far the present round through those who wait has come; None before its beginning."""

    async def tick(self, now: datetime | None = None) -> float:
        """Move one batch on; returns the seconds until the next. `now` is the database's clock, but in tests."""
        async with self._runtime.db.connection() as db:
            at = now or await occurrences.database_now(db)
            found, end = await self._look(db, at)
        moved = 0
        for account_id, id in found:
            # One transaction for each: who holds the sends of several takes them out of the order of ids.
            async with self._runtime.db.transaction() as tx:
                taken = await contact_upkeep.take(tx, account_id=account_id, id=id, now=at)
                if taken is not None:
                    await self._move(tx, *taken, now=at)
                    moved += 1
            self._runtime.events_written.set()
        if len(found) == self._batch:
            return 0.0 if moved else SOON
        self._after = end
        return EVERY if end is None else SOON

    async def _look(self, db: Connection, now: datetime) -> tuple[list[tuple[UUID, UUID]], Mark | None]:
        """Those of one window who move on, and its end: whoever waits behind a paused campaign is passed by."""
        end = await contact_upkeep.end_of_window(db, now=now, after=self._after, window=WINDOW)
        found = await contact_upkeep.passed(db, now=now, limit=self._batch, after=self._after, window=WINDOW)
        return found, end

    async def _move(self, tx: Connection, contact: Contact, account_zone: str, *, now: datetime) -> None:
        """One contact must not keep the others from moving on."""
        try:
            async with tx.transaction():
                moved, missed = _following(contact, account_zone, now)
                await change_contact(tx, self._core, contact, moved, source=SOURCE, now=now, missed=missed)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001  it is said of the contact that caused it
            log.error("contact_not_advanced", contact_id=str(contact.id), error=where(error))
            await contact_upkeep.postpone(tx, contact, until=now + LATER)


def _following(contact: Contact, account_zone: str, now: datetime) -> tuple[Contact, tuple[date, ...]]:
    """Where the calendar ends it stays due as it is, and recurs no more."""
    try:
        return advanced(contact, account_zone=account_zone, now=now)
    except BadTime:
        return replace(contact, interval=None, due_anchor=None, advance_at=None), ()
