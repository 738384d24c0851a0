"""The duty beside the doors that brings planned sends in line with campaigns that were changed.

A change raises the number of its campaign's plan; all enrolments that were armed from an older one are armed anew here,
in batches. None of them is claimed before that. The campaigns take turns, so that a large one holds no other up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from shared.store.enrollments import Unarmed

log = structlog.get_logger()

BATCH: Final = 50
"""Enrolments of one turn."""

EVERY: Final = 0.5
"""Seconds between looks where nothing is stale."""

NEXT_CAMPAIGN: Final = 0.05
"""Seconds until the next campaign's turn where one had nothing that could be armed."""

AFTER_A_BUG: Final = 600.0
"""Seconds until a contact is tried again whose sends could not be planned."""


class Rearming:
    """A tick for `run_ticks`; several processes share the work."""

    def __init__(self, runtime: Runtime, core: Core, *, batch: int = BATCH) -> None:
        self._runtime, self._core, self._batch = runtime, core, batch
        self._broken: dict[UUID, float] = {}
        """Contacts that broke, and when they may be tried again: else a batch of them would be found for ever."""
        self._after: UUID | None = None
        """The campaign that had its turn last; None before the first of a round."""
        self._round = 0
        """How many were armed since a round ended in which none was."""

    async def tick(self) -> float:
        """Arm a batch of one campaign, and one of what is stale by itself; returns the seconds until the next."""
        self._broken = {id: until for id, until in self._broken.items() if until > monotonic()}
        async with self._runtime.db.connection() as db:
            stale = await enrollments.flagged(db, limit=self._batch, but=self._broken)
            unarmed = await enrollments.unarmed(db, after=self._after, limit=2)
        armed = await self._arm_all(stale)
        if unarmed:
            armed += await self._arm_campaign(unarmed[0])
        self._after = unarmed[0].id if len(unarmed) > 1 else None
        self._round += armed
        if armed:
            self._runtime.events_written.set()
            return 0.0
        if self._after is not None:
            return NEXT_CAMPAIGN
        done, self._round = self._round, 0
        return NEXT_CAMPAIGN if done else EVERY

    async def _arm_campaign(self, campaign: Unarmed) -> int:
        """One batch; a campaign that has nothing left is done, unless contacts of it are broken."""
        async with self._runtime.db.transaction() as tx:
            found = await enrollments.outdated(tx, campaign, limit=self._batch, but=self._broken)
            if not found:
                await enrollments.all_armed(tx, campaign)
        return await self._arm_all({campaign.account_id: sorted(found)}) if found else 0

    async def _arm_all(self, stale: Mapping[UUID, Sequence[UUID]]) -> int:
        armed = 0
        for account_id, contact_ids in stale.items():
            try:
                armed += await self._arm(account_id, contact_ids)
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001  one that breaks stays stale, and unsent; the others go on
                log.error("rearming_broke", account_id=str(account_id), error=where(error))
                armed += await self._arm_one_by_one(account_id, contact_ids)
        return armed

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
