"""Settles attempts and missed times: loads the cases under lock, lets the domain decide, writes it all at once.

The dispatcher settles answers, the scheduler settles what is lost or too late. Settling is safe to repeat: an
attempt that was settled already is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Final
from uuid import UUID

from shared.domain.account import Policy
from shared.domain.events import Event, MessageFailed, MessageSent, MessageUncertain, ProviderPaused
from shared.domain.occurrence import PAUSE, State, unsendable
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.settlement import Case, Settlement, settle_attempt, settle_missed
from shared.domain.settlement import settle_lost as lost_worker
from shared.runtime import metrics
from shared.store import consents, history, occurrences, outbox, plans, quota, settlements
from shared.store.database import Connection, Database
from shared.store.occurrences import Begun
from shared.store.outbox import Recorded

RING_WITHIN: Final = timedelta(seconds=2)

_NEVER_SENT: Final = frozenset({State.SKIPPED, State.EXPIRED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one provider call."""

    begun: Begun
    outcome: Outcome
    error: bool = False
    """The outcome stands for an unexpected exception of ours."""


async def settle_answers(db: Database, answers: Sequence[Answer], *, fallback: Policy) -> None:
    """Write what came of these calls; two answers for one reminder are settled one after the other."""
    waiting = list(answers)
    while waiting:
        batch = {answer.begun.reminder_id: answer for answer in reversed(waiting)}
        waiting = [answer for answer in waiting if batch[answer.begun.reminder_id] is not answer]
        await _settle_batch(db, batch, fallback)


async def _settle_batch(db: Database, batch: dict[UUID, Answer], fallback: Policy) -> None:
    async with db.transaction() as tx:
        await settlements.lock_reminders(tx, list(batch))
        cases = await settlements.load(tx, [a.begun.id for a in batch.values()], fallback=fallback)
        now = await occurrences.database_now(tx)
        settled, deleted = [], dict(batch)
        for case in cases:
            answer = deleted.pop(case.progress.id)
            if _is_awaited(case, answer):
                settled.append(settle_attempt(case, answer.outcome, now=now, random=random(), error=answer.error))
        await write(tx, settled, now=now)
        await _pause_and_resume(tx, settled, now=now)
        await _suppress(tx, batch.values(), now=now)
        await _tell_of_deleted(tx, deleted.values(), now=now)
    for settlement in settled:
        if settlement.case.occurrence.state is State.UNCERTAIN:
            metrics.RESOLVED.labels(settlement.case.provider, "late_answer").inc()


def _is_awaited(case: Case, answer: Answer) -> bool:
    """An answer resolves its own attempt only. An acceptance does however late it comes; doubt is no news of a parked
    send."""
    if case.attempt_id != answer.begun.attempt_id:
        return False
    state = case.occurrence.state
    if isinstance(answer.outcome, Accepted):
        return state is not State.SENT
    return state is State.SENDING or (state is State.UNCERTAIN and not _in_doubt(answer.outcome))


def _in_doubt(outcome: Outcome) -> bool:
    return isinstance(outcome, Unknown) or (isinstance(outcome, Failed) and outcome.ambiguous)


async def settle_lost(db: Database, *, fallback: Policy, limit: int) -> int:
    """Settle up to `limit` attempts whose worker let its lease run out; returns how many."""
    async with db.transaction() as tx:
        now = await occurrences.database_now(tx)
        lost = _one_per_reminder(await settlements.lost(tx, now=now, limit=limit))
        if not lost:
            return 0
        await settlements.lock_reminders(tx, list(lost))
        still = await settlements.still_lost(tx, list(lost.values()), now=now)
        cases = await settlements.load(tx, list(still), fallback=fallback)
        settled = [lost_worker(case, now=now) for case in cases if case.occurrence.state is State.SENDING]
        await write(tx, settled, now=now)
    for settlement in settled:
        metrics.RESCUED.labels(settlement.step.state.value).inc()
    return len(settled)


def _one_per_reminder(lost: Iterable[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    return {reminder: occurrence for occurrence, reminder in lost}


async def settle_unsendable(db: Database, claims: Iterable[tuple[UUID, UUID]], *, fallback: Policy) -> set[UUID]:
    """End those of these claimed (occurrence, reminder) that may not be sent or come too late; returns their ids."""
    by_reminder = _one_per_reminder(claims)
    async with db.transaction() as tx:
        await settlements.lock_reminders(tx, list(by_reminder))
        cases = await settlements.load(tx, list(by_reminder.values()), fallback=fallback)
        now = await occurrences.database_now(tx)
        settled = []
        for case in cases:
            later_is_due = case.next_send_at is not None and case.next_send_at <= now
            step = unsendable(
                case.occurrence, now=now, policy=case.policy, later_is_due=later_is_due, barred=case.barred
            )
            if step is not None and case.occurrence.state is State.QUEUED:
                settled.append(settle_missed(case, step, now=now))
        await write(tx, settled, now=now)
    for settlement in settled:
        metrics.MISSED.labels(settlement.step.state.value).inc()
    return {settlement.case.occurrence.id for settlement in settled}


async def write(tx: Connection, settled: Sequence[Settlement], *, now: datetime) -> None:
    """Write what was decided of cases that were loaded under lock; one for each reminder at the most."""
    if not settled:
        return
    await settlements.write_steps(tx, settled, now=now)
    await settlements.write_standings(tx, settled, now=now)
    await settlements.write_attempts(tx, settled, now=now)
    await history.append(tx, [(s.case.progress.id, entry) for s in settled for entry in s.history])
    await outbox.append(tx, [recorded for s in settled for recorded in _recorded(s, now)])
    for settlement in settled:
        await _plan_next(tx, settlement, now=now)
    unsent = [s.case.progress.id for s in settled if s.case.segments and s.step.state in _NEVER_SENT]
    if unsent:
        await quota.give_back(tx, unsent)
    if any(s.step.ended and s.case.next_send_at and s.case.next_send_at <= now + RING_WITHIN for s in settled):
        await occurrences.ring(tx)


async def _plan_next(tx: Connection, settlement: Settlement, *, now: datetime) -> None:
    """A reminder that recurs gets its next send in the transaction that ends this one."""
    if settlement.planned is not None:
        progress, (seq, planned) = settlement.case.progress, settlement.planned
        await plans.add(tx, [(seq, planned)], account_id=progress.account_id, reminder_id=progress.id, now=now)
        await plans.ring_if_soon(tx, planned.at, now=now)


def _recorded(settlement: Settlement, now: datetime) -> list[Recorded]:
    progress = settlement.case.progress
    return [
        Recorded(event, progress.account_id, now, progress.sequence + place)
        for place, event in enumerate(settlement.events, start=1)
    ]


async def _pause_and_resume(tx: Connection, settled: Sequence[Settlement], *, now: datetime) -> None:
    """Rest a provider that refused our credentials, for that account and channel; end the rest once it accepts."""
    refused = _by_account_and_channel(settled, lambda s: s.outcome == Unavailable.__name__.lower())
    if refused:
        rows = [(*key, s.case.provider, s.step.reason or "") for key, s in refused.items()]
        for key in await settlements.pause_providers(tx, rows, now=now, lasting=PAUSE):
            await _tell_of_pause(tx, refused[key], now=now)
    served = _by_account_and_channel(settled, lambda s: s.step.state is State.SENT)
    if served:
        await settlements.resume_providers(tx, list(served))


async def _suppress(tx: Connection, answers: Iterable[Answer], *, now: datetime) -> None:
    """Who opted out at the provider is written to no more, at any door (B-267)."""
    opted_out = {
        (answer.begun.account_id, answer.begun.address): answer.begun.provider
        for answer in answers
        if isinstance(answer.outcome, Rejected) and answer.outcome.opted_out
    }
    for (account_id, address), provider in sorted(opted_out.items()):
        await consents.suppress(tx, address, account_id=account_id, source=f"provider:{provider}", now=now)


def _by_account_and_channel(
    settled: Sequence[Settlement], chosen: Callable[[Settlement], bool]
) -> dict[tuple[UUID, str], Settlement]:
    found = {(s.case.progress.account_id, s.case.progress.channel): s for s in settled if chosen(s)}
    return dict(sorted(found.items()))


async def _tell_of_pause(tx: Connection, settlement: Settlement, *, now: datetime) -> None:
    progress, provider = settlement.case.progress, settlement.case.provider
    metrics.PAUSED.labels(provider).inc()
    event = ProviderPaused(progress.account_id, progress.channel, provider, settlement.step.reason or "")
    sequence = await settlements.next_account_sequence(tx, progress.account_id)
    await outbox.append(tx, [Recorded(event, progress.account_id, now, sequence)])


async def _tell_of_deleted(tx: Connection, answers: Iterable[Answer], *, now: datetime) -> None:
    """A reminder that was deleted while sending has nothing left to write to; its message is told of all the same."""
    for answer in sorted(answers, key=lambda answer: answer.begun.reminder_id):
        begun = answer.begun
        sequence = await settlements.next_deleted_sequence(tx, begun.reminder_id)
        if sequence is not None:
            event = _end_of_deleted(begun, answer.outcome, now)
            await outbox.append(tx, [Recorded(event, begun.account_id, now, sequence)])


def _end_of_deleted(begun: Begun, outcome: Outcome, now: datetime) -> Event:
    facts: dict[str, Any] = {
        "reminder_id": begun.reminder_id,
        "external_id": begun.external_id,
        "occurrence_id": begun.id,
        "channel": begun.channel,
        "attempt": begun.attempt,
        "scheduled_for": begun.scheduled_for,
    }
    if isinstance(outcome, Accepted):
        message_id = outcome.provider_message_id
        return MessageSent(**facts, provider=begun.provider, provider_message_id=message_id, sent_at=now)
    if _in_doubt(outcome):
        return MessageUncertain(**facts, provider=begun.provider, reason=f"deleted: {outcome.reason}")
    return MessageFailed(**facts, reason=f"deleted: {outcome.reason}")
