"""One action on many reminders, each with its own result (B-063)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from services.api.core.listing import list_reminders
from services.api.core.reminders import Held, hold, the_one
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem, Refused
from shared.store import plans
from shared.store import reminders as store
from shared.store.database import Connection
from shared.store.reminder_search import Filter
from shared.store.reminders import Address

MOST: Final = 1_000

T = TypeVar("T")

Act = Callable[[Held], Awaitable[T]]
"""Does one reminder's part and says what it did."""


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    external_id: str
    done: T | None
    refusal: Refused | None


async def act_on_many(
    tx: Connection,
    act: Act[T],
    *,
    account_id: UUID,
    ids: Sequence[str] | None,
    wanted: Filter,
    dry_run: bool,
) -> list[Result[T]]:
    """Do `act` for the reminders that `ids` name, or for all that `wanted` finds, in one transaction.

    A refusal is that reminder's result and touches no other. `dry_run` does everything and takes it back.
    Raises `Invalid` where `wanted` finds more than 1,000.
    """
    named = await _named(tx, account_id, ids, wanted)
    savepoint = tx.transaction()
    await savepoint.start()
    await plans.hold_all(tx, account_id=account_id, reminder_ids=[id for _, id in named if isinstance(id, UUID)])
    results: list[Result[T]] = []
    for external_id, found in named:
        try:
            if isinstance(found, Refused):
                raise found
            done = await act(await hold(tx, account_id=account_id, id=found))
            results.append(Result(external_id, done, None))
        except (NotFound, Conflict, Invalid) as refusal:
            results.append(Result(external_id, None, refusal))
    await (savepoint.rollback() if dry_run else savepoint.commit())
    return results


async def _named(
    tx: Connection, account_id: UUID, ids: Sequence[str] | None, wanted: Filter
) -> list[tuple[str, UUID | Refused]]:
    """Each caller's id with ours, or with why it has none, in the order of the request."""
    if ids is None:
        page = await list_reminders(tx, wanted, account_id=account_id, limit=MOST, skip=0)
        if page.total > MOST:
            reason = f"{page.total} reminders match, more than {MOST}; narrow it down"
            raise Invalid([Problem("filter", reason, "too_many")])
        return [(seen.reminder.external_id or "", seen.reminder.id) for seen in page.seen]
    found = defaultdict(list)
    for address in await store.find(
        tx,
        account_id=account_id,
        external_ids=ids,
        agent_id=wanted.agent_id,
        configuration_id=wanted.configuration_id,
    ):
        found[address.external_id].append(address)
    unnamed = wanted.agent_id is None and wanted.configuration_id is None
    return [(external_id, _target(found[external_id], unnamed=unnamed)) for external_id in dict.fromkeys(ids)]


def _target(found: Sequence[Address], *, unnamed: bool) -> UUID | Refused:
    try:
        return the_one(found, must_be_default=unnamed).id
    except Refused as refusal:
        return refusal
