"""Three steps, three functions: begin the attempts, call the provider, record what came of it.

The in-flight marker is committed before the first byte goes out, no transaction is held during a call, and the
answer is written under the attempt's own id. A crash anywhere leaves a lease that runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic, perf_counter
from typing import Final
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from services.dispatcher.message import Unsendable, outgoing
from services.dispatcher.provider import Idempotency, Provider, call
from services.dispatcher.recorder import Recorder
from services.dispatcher.routing import Providers
from shared.bus.bus import BusMessage, Undeliverable
from shared.bus.handling import Running
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unknown
from shared.domain.recipient import Channel
from shared.messages.commands import SendDue
from shared.messages.envelope import Undecodable, UnknownType, decode, unwrap
from shared.runtime import metrics
from shared.runtime.ledger import Answer
from shared.runtime.logging import where
from shared.runtime.loops import patiently
from shared.runtime.runtime import Runtime
from shared.store import occurrences
from shared.store.occurrences import Begun, Route

log = structlog.get_logger()

Hint = tuple[UUID, int]
"""An occurrence and the version under which it was queued."""

TOO_LATE: Final = Failed(
    "not called: this process stood still for so long that its lease might end first", counts=False
)
"""Instead of a call that could meet the rescue: the send may be cancelled, or begun elsewhere, before it is over."""


class Dispatcher:
    """Sends what `send.due` names, as many at once as there are slots."""

    def __init__(self, runtime: Runtime, providers: Providers, recorder: Recorder) -> None:
        self._runtime = runtime
        self._providers = providers
        self._recorder = recorder
        self._lease = timedelta(seconds=runtime.settings.lease)
        self._slots = _Slots(runtime.settings.send_concurrency)
        self._running = Running()
        self._routes = [_route(channel, providers.for_channel(channel)) for channel in Channel]

    async def handle(self, message: BusMessage) -> None:
        """Begin all that one command names; the calls go on when this returns. Raises `Undeliverable`.

        A command is done with once its sends are marked: from there on their leases answer for them. Held until the
        last answer, it would let a slow provider stop what falls due one by one at the few messages of the prefetch.
        """
        try:
            command = unwrap(decode(message.body))
        except (Undecodable, UnknownType) as error:
            raise Undeliverable(str(error)) from error
        if not isinstance(command, SendDue):
            raise Undeliverable("not a send.due")
        await self._start([(due.occurrence_id, due.version) for due in command.due])

    async def send(self, hints: Sequence[Hint]) -> None:
        """Send all of these; returns when every outcome is written."""
        await asyncio.gather(*await self._start(hints))

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for the calls that are under way, and leave the rest to their leases."""
        await self._running.drain(seconds)

    async def _start(self, hints: Sequence[Hint]) -> list[asyncio.Task[None]]:
        """Begin as many as can start at once, again and again until all are begun; a stop gives back the rest."""
        waiting, started = list(hints), []
        while waiting and not self._runtime.stopping.is_set():
            free = await self._slots.take(len(waiting))
            if self._runtime.stopping.is_set():  # it came while every slot was in use
                self._slots.give(free)
                break
            chunk, waiting = waiting[:free], waiting[free:]
            begun, until = await self.begin(chunk)
            self._slots.give(free - len(begun))
            started += [self._running.spawn(self._attempt(attempt, until)) for attempt in begun]
        if waiting:
            rest = waiting
            await patiently(lambda: self._release(rest), name="release")
        return started

    async def begin(self, hints: Sequence[Hint]) -> tuple[list[Begun], float]:
        """Mark these as sending, however long the database takes; and until when, by `monotonic`, they may be called.

        What drops out is missing. A repeat names the same attempts: one whose commit went through while its answer
        was lost is found again.
        """
        named = [(occurrence, version, uuid7()) for occurrence, version in hints]
        return await patiently(lambda: self._begin(named), name="begin")

    async def _begin(self, named: Sequence[tuple[UUID, int, UUID]]) -> tuple[list[Begun], float]:
        asked = monotonic()
        async with self._runtime.db.transaction() as tx:
            begun = await occurrences.begin(tx, named, routes=self._routes, lease=self._lease)
        return begun, asked + self._lease.total_seconds() - self._runtime.settings.provider_timeout

    async def _release(self, hints: Sequence[Hint]) -> None:
        async with self._runtime.db.transaction() as tx:
            await occurrences.release(tx, hints)

    async def _attempt(self, begun: Begun, until: float) -> None:
        # The slot is held until the answer is written: a crash leaves no more in doubt than there are slots.
        lateness = max(0.0, (datetime.now(UTC) - begun.scheduled_for).total_seconds())
        metrics.LATENESS.observe(lateness)
        try:
            answer = await self._call(begun) if monotonic() <= until else Answer(begun, TOO_LATE)
            await self._recorder.record(answer)
        finally:
            self._slots.give(1)
        _log(answer, lateness)

    async def _call(self, begun: Begun) -> Answer:
        """One provider call. Whatever happens, there is an answer."""
        provider = self._providers.for_channel(Channel(begun.channel))
        started = perf_counter()
        try:
            outcome: Outcome = await call(provider, outgoing(begun), timeout=self._runtime.settings.provider_timeout)
            error = False
        except Unsendable as reason:
            outcome, error = Rejected(str(reason)), False
        except Exception as broken:  # noqa: BLE001  a bug of ours must end this attempt, not the other ninety-nine
            log.error("attempt_broken", occurrence_id=str(begun.id), provider=provider.name, error=where(broken))
            outcome, error = _after_bug(provider, broken), True
        metrics.CALLS.labels(provider.name, type(outcome).__name__.lower()).inc()
        metrics.CALL_SECONDS.labels(provider.name).observe(perf_counter() - started)
        return Answer(begun, outcome, error)


def _log(answer: Answer, lateness: float) -> None:
    """One line for each attempt, once it is written down: ids, words and times alone."""
    begun, outcome = answer.begun, answer.outcome
    tell = log.info if isinstance(outcome, Accepted) else log.warning
    tell(
        "attempt_recorded",
        outcome="error" if answer.error else type(outcome).__name__.lower(),
        provider=begun.provider,
        channel=begun.channel,
        account_id=str(begun.account_id),
        reminder_id=str(begun.reminder_id),
        occurrence_id=str(begun.id),
        attempt=begun.attempt,
        lateness=round(lateness, 3),
    )


def _after_bug(provider: Provider, error: Exception) -> Outcome:
    """After an exception of ours nobody knows whether the request went out."""
    reason = f"unexpected error: {type(error).__name__}"
    return Failed(reason, ambiguous=True) if provider.idempotency is Idempotency.KEY else Unknown(reason)


def _route(channel: Channel, provider: Provider) -> Route:
    return Route(channel.value, provider.name, provider.idempotency is Idempotency.KEY)


class _Slots:
    """How many calls may be under way; hands out as many as are free, and waits only for the first."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._freed = asyncio.Event()

    async def take(self, wanted: int) -> int:
        """Take between one and `wanted` slots."""
        while self._free == 0:
            self._freed.clear()
            await self._freed.wait()
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    def give(self, count: int) -> None:
        """Give back `count` slots."""
        self._free += count
        self._freed.set()
