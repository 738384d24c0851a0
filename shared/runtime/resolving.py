"""Settles sends whose answer was lost, from what became known since: a person's word, a report, a look-up.

The rules are `shared.domain.parked` and `shared.domain.receipt`; this loads under lock and writes at once. Whatever
comes second finds the first, and changes nothing that it settled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Final
from uuid import UUID

from shared.domain.account import Policy
from shared.domain.events import Event, MessageDelivered, MessageOptedOut, MessageRead, MessageUndelivered
from shared.domain.occurrence import State
from shared.domain.parked import Verdict, settle_by_hand, settle_proved
from shared.domain.receipt import News, Receipt, Report, news
from shared.domain.refusal import Conflict, NotFound
from shared.domain.reminder import Action, HistoryEntry, Status
from shared.domain.settlement import Case, Settlement
from shared.runtime import ledger, metrics
from shared.store import consents, history, occurrences, outbox, settlements, uncertain
from shared.store import receipts as store
from shared.store.database import Connection, Database, DatabaseError
from shared.store.failures import lost_a_race
from shared.store.outbox import Recorded
from shared.store.receipts import Known, Noted

TRIES: Final = 4
"""Of a transaction that loses a race: a provider may not send its report again."""

AT_ONCE: Final = 100
"""Reminders of one transaction: of a long list that breaks off, what was written need not be written again."""

_Waiting = tuple[UUID, UUID, Receipt]
"""Occurrence, reminder, and what is reported."""

SKEW: Final = timedelta(minutes=5)
"""How far a provider's clock may be from ours."""

_ACTIONS: Final = {
    Report.UNDELIVERED: Action.UNDELIVERED,
    Report.DELIVERED: Action.DELIVERED,
    Report.READ: Action.READ,
}
_WORDS: Final = {
    Report.UNDELIVERED: "Not delivered, as {} reports",
    Report.DELIVERED: "Delivered, as {} reports",
    Report.READ: "Read, as {} reports",
}
_FROM: Final = {"callback": "its report says so", "look_up": "it was found there"}


async def resolve_by_hand(
    tx: Connection,
    occurrence_id: UUID,
    verdict: Verdict,
    *,
    account_id: UUID | None,
    message_id: str | None = None,
    fallback: Policy,
) -> Settlement:
    """Settle a parked send as a person says. `account_id`: whose it must be; None is anybody's.

    Raises `NotFound`, and `Conflict` where it is not parked: it may have been resolved a moment ago.
    """
    found = await uncertain.whose(tx, occurrence_id, account_id=account_id)
    if found is None:
        raise NotFound("message")
    await settlements.lock_reminders(tx, [found[1]])
    cases = await settlements.load(tx, [occurrence_id], fallback=fallback)
    if not cases:
        raise NotFound("message")
    (case,) = cases
    if case.occurrence.state is not State.UNCERTAIN:
        raise Conflict("not_uncertain", "this send is not in doubt", {"status": case.occurrence.state.value})
    now = await occurrences.database_now(tx)
    settled = settle_by_hand(case, verdict, message_id=message_id, now=now, random=random())
    await ledger.write(tx, [settled], now=now)
    metrics.RESOLVED.labels(case.provider, f"hand_{verdict.value}").inc()
    return settled


async def take_receipts(db: Database, receipts: Sequence[Receipt], *, how: str, fallback: Policy) -> bool:
    """Write what these reports say, each of one reminder after the other; True where any of them said anything new.

    `how` they came is for the metrics: `callback` or `look_up`. One that is nobody's is counted and forgotten.
    """
    async with db.connection() as connection:
        found = await store.find(connection, receipts)
    waiting: list[_Waiting] = []
    for place, receipt in enumerate(receipts):
        if place in found:
            waiting.append((*found[place], receipt))
        else:
            metrics.RECEIPTS.labels(receipt.provider, "unknown").inc()
    new = False
    while waiting:
        batch, waiting = _next_batch(waiting)
        new |= await _again_after_races(db, batch, how, fallback)
    return new


def _next_batch(waiting: Sequence[_Waiting]) -> tuple[dict[UUID, tuple[UUID, Receipt]], list[_Waiting]]:
    """The first report of each of the first reminders, and the rest."""
    batch: dict[UUID, tuple[UUID, Receipt]] = {}
    rest = []
    for occurrence, reminder, receipt in waiting:
        if reminder in batch or len(batch) == AT_ONCE:
            rest.append((occurrence, reminder, receipt))
        else:
            batch[reminder] = (occurrence, receipt)
    return batch, rest


async def _again_after_races(db: Database, batch: dict[UUID, tuple[UUID, Receipt]], how: str, fallback: Policy) -> bool:
    for tries in range(1, TRIES + 1):
        try:
            return await _take(db, batch, how, fallback)
        except DatabaseError as error:
            if tries == TRIES or not lost_a_race(error):
                raise
            await asyncio.sleep(random() * 0.02 * tries)
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class _Told:
    """One report of a send, and what it adds."""

    case: Case
    receipt: Receipt
    known: Known
    news: News

    @property
    def own(self) -> bool:
        """Whether it is about the attempt that the send is at, and from who made it."""
        return (self.receipt.attempt_id, self.receipt.provider) == (self.case.attempt_id, self.case.provider)


async def _take(db: Database, batch: dict[UUID, tuple[UUID, Receipt]], how: str, fallback: Policy) -> bool:
    """One report for each of these reminders, in one transaction."""
    receipts = dict(batch.values())
    async with db.transaction() as tx:
        await settlements.lock_reminders(tx, list(batch))
        cases = await settlements.load(tx, list(receipts), fallback=fallback)
        known = await store.known(tx, list(receipts))
        now = await occurrences.database_now(tx)
        told = [_told(case, receipts[case.occurrence.id], known[case.occurrence.id]) for case in cases]
        own = [one for one in told if one.own]
        proved = {one.case.progress.id: _proved(one, how, now) for one in own if one.news.proves_sent}
        await ledger.write(tx, list(proved.values()), now=now)
        for one in own:
            settled = proved.get(one.case.progress.id)
            await _write_news(tx, one, now=now, status=settled.status if settled else one.case.progress.status)
    _count(told, how)
    return any(not one.news.nothing for one in own)


def _told(case: Case, receipt: Receipt, known: Known) -> _Told:
    return _Told(case, receipt, known, news(known.report, case.occurrence.state, receipt.report))


def _proved(one: _Told, how: str, now: datetime) -> Settlement:
    detail = f"Message sent by {one.case.provider}: {_FROM[how]}"
    return settle_proved(one.case, one.receipt.message_id, detail, now=now)


async def _write_news(tx: Connection, one: _Told, *, now: datetime, status: Status) -> None:
    """How far the message came: on its row, in history and as events, each once."""
    if one.news.report is None:
        return
    case, receipt = one.case, one.receipt
    await store.note(tx, [Noted(case.occurrence.id, one.news.report, receipt.message_id, _at(one, now))])
    events = [_event(step, one) for step in one.news.told]
    if receipt.opted_out and await consents.suppress(
        tx, one.known.address, account_id=case.progress.account_id, source=f"provider:{receipt.provider}", now=now
    ):
        events.append(MessageOptedOut(**_facts(case)))
    if not events:
        return
    code = f" (code {receipt.code})" if receipt.code else ""
    details = [(step, _WORDS[step].format(case.provider) + code) for step in one.news.told]
    entries = [HistoryEntry(now, _ACTIONS[step], detail, status) for step, detail in details]
    await history.append(tx, [(case.progress.id, entry) for entry in entries])
    first = await store.number_events(tx, case.progress.id, count=len(events))
    numbered = enumerate(events, start=first)
    await outbox.append(tx, [Recorded(event, case.progress.account_id, now, number) for number, event in numbered])


def _at(one: _Told, now: datetime) -> datetime:
    """The provider's own time where it can be true."""
    at, began = one.receipt.at, one.case.started_at
    return at if at is not None and (began is None or at >= began - SKEW) and at <= now + SKEW else now


def _event(step: Report, one: _Told) -> Event:
    facts = {**_facts(one.case), "provider_message_id": one.receipt.message_id}
    match step:
        case Report.READ:
            return MessageRead(**facts)
        case Report.DELIVERED:
            return MessageDelivered(**facts)
        case _:
            code = one.receipt.code
            return MessageUndelivered(**facts, reason=f"code {code}" if code else "the provider gives no reason")


def _facts(case: Case) -> dict[str, Any]:
    return {
        "reminder_id": case.progress.id,
        "external_id": case.progress.external_id,
        "occurrence_id": case.occurrence.id,
        "channel": case.progress.channel,
        "attempt": case.occurrence.attempt,
        "scheduled_for": case.occurrence.scheduled_for,
    }


def _count(told: Sequence[_Told], how: str) -> None:
    for one in told:
        provider = one.receipt.provider
        if not one.own:
            metrics.RECEIPTS.labels(provider, "of_another_attempt").inc()
            continue
        metrics.RECEIPTS.labels(provider, "repeated" if one.news.nothing else "new").inc()
        if one.news.proves_sent:
            metrics.RESOLVED.labels(provider, how).inc()
