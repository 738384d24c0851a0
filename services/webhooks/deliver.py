"""Claims due deliveries, signs and POSTs them, and records what came back.

Slots are in two halves: endpoints whose newest answer was a success, and all others. However many dead ones
there are, they only ever wait for each other.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import structlog

from services.webhooks.batcher import Batcher
from services.webhooks.client import WebhookClient
from services.webhooks.record import record
from shared.domain.endpoint import after_attempt
from shared.domain.signature import sign, signing_order
from shared.runtime import metrics
from shared.runtime.keyring import CannotOpen, Keyring
from shared.runtime.loops import patiently, run_ticks
from shared.runtime.runtime import Runtime
from shared.store import deliveries
from shared.store.deliveries import Attempted, Claimed

log = structlog.get_logger()

RUN: Final = 50
"""Deliveries that one claim takes for a healthy endpoint."""
RUN_FOR: Final = 0.5
"""Seconds until a run begins nothing more and gives the rest back: what is claimed is begun soon or not at all."""
LANES: Final = 2
"""POSTs at once to one endpoint."""
IDLE: Final = 0.5
"""Seconds between looks for due retries when nothing wakes us."""

Report = Callable[[Attempted], Awaitable[None]]


@dataclass(slots=True)
class Run:
    """Deliveries of one endpoint that were claimed together."""

    waiting: deque[Claimed]
    proven: bool
    lanes: int
    """How many POSTs it may have under way at once."""
    claimed_at: datetime
    """By the database's clock."""
    began: float
    """The same moment by the monotonic clock."""

    def age(self) -> float:
        return time.monotonic() - self.began


class Deliverer:
    """The deliver loop of one process."""

    def __init__(self, runtime: Runtime, client: WebhookClient, keyring: Keyring) -> None:
        self._runtime, self._client, self._keyring = runtime, client, keyring
        self._half = max(LANES, runtime.settings.webhook_concurrency // 2)
        self._under_way = {True: 0, False: 0}
        self._tasks: set[asyncio.Task[None]] = set()
        self._passes = 0
        self._recorder = Batcher("record deliveries", self._record, most=500)

    async def run(self) -> None:
        """Deliver until the runtime stops; then begin nothing more, and wait for what is open."""
        runtime = self._runtime
        await run_ticks("deliver", self._pass, stopping=runtime.stopping, wake=runtime.deliveries_written)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=runtime.settings.drain)
        for task in self._tasks:
            task.cancel()
        await self._recorder.close()

    async def tick(self, now: datetime | None = None) -> int:
        """Claim once and see it through; returns how many deliveries were claimed. For tests, which pass `now`."""
        runs = await self.claim(now) or []
        claimed = sum(len(run.waiting) for run in runs)
        ended: list[Attempted] = []

        async def keep(attempted: Attempted) -> None:
            ended.append(attempted)

        await asyncio.gather(*(self._work_off(run, keep) for run in runs))
        if ended and await record(self._runtime.db, ended, now=now):
            self._runtime.events_written.set()
        return claimed

    async def _pass(self) -> float:
        self._passes += 1
        runs = await self.claim(None)
        if runs is None:
            return 0.01
        for run in runs:
            self._under_way[run.proven] += 1
            task = asyncio.create_task(self._see_through(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return 0.0 if runs else IDLE

    async def claim(self, now: datetime | None) -> list[Run] | None:
        proven = max(0, self._half // LANES - self._under_way[True])
        doubtful = max(0, self._half - self._under_way[False])
        lease = timedelta(seconds=self._runtime.settings.webhook_lease)
        began = time.monotonic()
        async with self._runtime.db.transaction() as tx:
            claimed = await deliveries.claim(tx, proven=proven, doubtful=doubtful, run=RUN, lease=lease, now=now)
        if claimed is None:
            return None
        claimed.sort(key=lambda c: c.endpoint_id)
        return [
            Run(deque(mine), mine[0].proven, LANES - mine[0].posts, mine[0].claimed_at, began)
            for _, group in groupby(claimed, key=lambda c: c.endpoint_id)
            for mine in [sorted(group, key=lambda c: c.id)]
        ]

    async def _see_through(self, run: Run) -> None:
        passes, whole = self._passes, run.proven and len(run.waiting) < RUN
        try:
            await self._work_off(run, self._recorder.put)
        finally:
            self._under_way[run.proven] -= 1
            if not whole or self._passes > passes:
                # There may be more for this endpoint: it was not all claimed, or was passed over meanwhile.
                self._runtime.deliveries_written.set()

    async def _work_off(self, run: Run, report: Report) -> None:
        reports: list[asyncio.Future[None]] = []
        await asyncio.gather(*(self._lane(run, report, reports) for _ in range(min(run.lanes, len(run.waiting)))))
        await asyncio.gather(*reports)
        if run.waiting:
            rest = list(run.waiting)
            await patiently(lambda: self._release(rest), name="release deliveries")

    async def _lane(self, run: Run, report: Report, reports: list[asyncio.Future[None]]) -> None:
        """One POST after another, for as long as the run lasts."""
        first = True
        while run.waiting and (first or (run.age() < RUN_FOR and not self._runtime.stopping.is_set())):
            first = False
            attempted = await self.attempt(run.waiting.popleft(), run)
            if attempted is None:
                return
            reports.append(asyncio.ensure_future(report(attempted)))
            if attempted.answer.gone:
                await asyncio.sleep(0)
                run.began = float("-inf")

    async def attempt(self, claimed: Claimed, run: Run) -> Attempted | None:
        """Sign and POST. None where the secret cannot be opened: the lease brings it back, no attempt is spent."""
        started_at = run.claimed_at + timedelta(seconds=run.age())
        try:
            headers = self._headers(claimed, started_at)
        except CannotOpen as error:
            log.error("secret_unreadable", endpoint_id=str(claimed.endpoint_id), reason=str(error))
            return None
        settings = self._runtime.settings
        began = time.monotonic()
        timeout = max(0.1, min(settings.webhook_timeout, 0.9 * settings.webhook_lease - run.age()))
        answer = await self._client.post(claimed.target_url, claimed.body, headers, timeout=timeout)
        duration = timedelta(seconds=time.monotonic() - began)
        metrics.DELIVERIES.labels(answer.error or "delivered").inc()
        metrics.DELIVERY_SECONDS.observe(duration.total_seconds())
        jitter = secrets.randbelow(1 << 20) / (1 << 20)
        after = after_attempt(claimed.attempt, answer, at=started_at + duration, random=jitter)
        return Attempted(claimed, started_at, duration, answer, after)

    def _headers(self, claimed: Claimed, at: datetime) -> dict[str, str]:
        """Signed afresh for each attempt (B-161)."""

        def opened(sealed: bytes) -> str:
            return self._keyring.open(sealed, account_id=claimed.account_id, row_id=claimed.endpoint_id)

        following = opened(claimed.next_secret) if claimed.next_secret is not None else None
        keys = signing_order(opened(claimed.secret), following, claimed.rotation)
        return {
            "Content-Type": "application/json",
            "Belltower-Attempt": str(claimed.attempt),
            "Belltower-Event": claimed.event_type,
            **sign(keys, id=claimed.id, at=at, body=claimed.body),
        }

    async def _record(self, attempts: Sequence[Attempted]) -> None:
        if await record(self._runtime.db, attempts):
            self._runtime.events_written.set()

    async def _release(self, claimed: Sequence[Claimed]) -> None:
        async with self._runtime.db.transaction() as tx:
            await deliveries.release(tx, claimed)
