"""Asks providers for messages whose answer was lost, until fifteen minutes have passed (B-263).

A message that is found is sent. One that is not found proves nothing: it stays parked, or is tried again where its
owner chose so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from services.dispatcher.message import Unsendable, outgoing
from services.dispatcher.provider import Found, LookUp
from services.dispatcher.routing import Providers
from shared.domain.provider import OPTED_OUT, ProviderName
from shared.domain.receipt import Receipt
from shared.runtime import metrics
from shared.runtime.logging import where
from shared.runtime.loops import AWAY
from shared.runtime.resolving import take_receipts
from shared.runtime.runtime import Runtime
from shared.store import look_ups, occurrences
from shared.store.look_ups import Sought

log = structlog.get_logger()

LASTING: Final = timedelta(minutes=15)
"""After the start of a call, how long its message is asked for (`reliability.md` e.8)."""

LEAST: Final = timedelta(seconds=10)
MOST: Final = timedelta(minutes=5)
"""Between two questions about one message; in between as long as it has been in doubt."""

AT_ONCE: Final = 5
"""Questions of one tick: with `EVERY` the rate of one process, whatever was lost."""
EVERY: Final = 1.0
NOBODY_TO_ASK: Final = 60.0

_APART: Final = timedelta(minutes=4)
"""Sends to one person that began within this may be taken for each other."""


class LookingUp:
    """A tick for `run_ticks`."""

    def __init__(self, runtime: Runtime, providers: Providers) -> None:
        self._runtime = runtime
        self._ask = {name: provider.look_up for name, provider in providers.by_name.items() if provider.look_up}

    async def tick(self) -> float:
        """Ask about a few; returns the seconds until the next."""
        if not self._ask:
            return NOBODY_TO_ASK
        async with self._runtime.db.transaction() as tx:
            now = await occurrences.database_now(tx)
            found = await look_ups.take(
                tx, now=now, providers=list(self._ask), limit=AT_ONCE, lasting=LASTING, least=LEAST, most=MOST
            )
        await asyncio.gather(*(self._look(sought, self._ask[sought.begun.provider]) for sought in found))
        return EVERY

    async def _look(self, sought: Sought, look_up: LookUp) -> None:
        """One question; whatever happens to it must not keep the others from being asked."""
        answer = "failed"
        try:
            async with asyncio.timeout(self._runtime.settings.provider_timeout):
                found = await look_up(outgoing(sought.begun), sought.began_at)
            if found is not None:
                answer = await self._judge(sought, found)
        except Unsendable:
            answer = "untellable"
        except (TimeoutError, *AWAY) as error:
            log.warning("look_up_failed", occurrence_id=str(sought.begun.id), error=type(error).__name__)
        except Exception as broken:  # noqa: BLE001  a bug of ours: the message stays in doubt
            log.error("look_up_broken", occurrence_id=str(sought.begun.id), error=where(broken))
        metrics.LOOK_UPS.labels(sought.begun.provider, answer).inc()

    async def _judge(self, sought: Sought, found: Sequence[Found]) -> str:
        """Take the nearest that is nobody else's, unless there may be too few for all that it could be."""
        async with self._runtime.db.connection() as db:
            taken = await look_ups.taken(db, sought, [one.message_id for one in found]) if found else set()
            free = [one for one in found if one.message_id not in taken]
            rivals = await look_ups.rivals(db, sought, within=_APART) if free else 0
        if not free:
            return "absent"
        if len(free) <= rivals:
            return "ambiguous"
        policy = self._runtime.settings.policy()
        if await take_receipts(self._runtime.db, [_receipt(sought, free[0])], how="look_up", fallback=policy):
            self._runtime.events_written.set()
        return "found"


def _receipt(sought: Sought, found: Found) -> Receipt:
    begun = sought.begun
    codes = OPTED_OUT.get(ProviderName(begun.provider), frozenset())
    return Receipt(
        provider=begun.provider,
        message_id=found.message_id,
        attempt_id=begun.attempt_id,
        occurrence_id=begun.id,
        report=found.report,
        code=found.code,
        opted_out=found.code is not None and found.code.isdigit() and int(found.code) in codes,
    )
