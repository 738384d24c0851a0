"""The duty beside the doors that brings planned sends in line with campaigns that were changed.

A change marks all enrolments of its campaign in one statement, however many there are; here they are armed anew in
batches. None of them is claimed before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from services.api.core.arming import rearm_stale
from services.api.core.policy import Core
from shared.runtime.logging import where
from shared.runtime.loops import AWAY
from shared.runtime.runtime import Runtime
from shared.store import enrollments, occurrences

log = structlog.get_logger()

BATCH: Final = 50
"""Enrolments of one look."""

EVERY: Final = 0.5
"""Seconds between looks where nothing is stale."""

AFTER_A_BUG: Final = 600.0
"""Seconds until a contact is tried again whose sends could not be planned."""


class Rearming:
    """A tick for `run_ticks`; several processes share the work."""

    def __init__(self, runtime: Runtime, core: Core, *, batch: int = BATCH) -> None:
        self._runtime, self._core, self._batch = runtime, core, batch
        self._broken: dict[UUID, float] = {}
        """Contacts that broke, and when they may be tried again: else a batch of them would be found for ever."""

    async def tick(self) -> float:
        """Arm one batch of stale enrolments; returns the seconds until the next."""
        async with self._runtime.db.connection() as db:
            self._broken = {id: until for id, until in self._broken.items() if until > monotonic()}
            stale = await enrollments.stale(db, limit=self._batch, but=self._broken)
        armed = 0
        for account_id, contact_ids in stale.items():
            try:
                armed += await self._arm(account_id, contact_ids)
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001  one that breaks stays stale, and unsent; the others go on
                log.error("rearming_broke", account_id=str(account_id), error=where(error))
                armed += await self._arm_one_by_one(account_id, contact_ids)
        if armed:
            self._runtime.events_written.set()
        return 0.0 if armed else EVERY

    async def _arm(self, account_id: UUID, contact_ids: Sequence[UUID]) -> int:
        async with self._runtime.db.transaction() as tx:
            now = await occurrences.database_now(tx)
            return await rearm_stale(tx, self._core, contact_ids, account_id=account_id, now=now)

    async def _arm_one_by_one(self, account_id: UUID, contact_ids: Sequence[UUID]) -> int:
        armed = 0
        for contact_id in contact_ids:
            try:
                armed += await self._arm(account_id, [contact_id])
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001  it is said of the contact that caused it
                log.error("contact_not_armed", contact_id=str(contact_id), error=where(error))
                self._broken[contact_id] = monotonic() + AFTER_A_BUG
        return armed
