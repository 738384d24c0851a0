"""The fence: what a cancel or a delete comes in time for, and that nothing starts after it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.store import occurrences
from tests.builders import a_reminder, in_future
from tests.integration.api.conftest import Door

STATES = {
    "scheduled": "state = 'scheduled'",
    "queued": "state = 'queued', lease_until = now() + interval '30 s'",
    "sending": "state = 'sending', lease_until = now() + interval '30 s', attempt_id = gen_random_uuid(), attempt = 1",
    "sent": "state = 'sent', ended_at = now(), attempt = 1",
    "uncertain": "state = 'uncertain', ended_at = now(), attempt = 1",
    "skipped": "state = 'skipped', ended_at = now()",
}

OUTCOMES = [
    (["scheduled"], "prevented"),
    (["queued"], "prevented"),
    (["sending"], "in_flight"),
    (["sending", "scheduled"], "in_flight"),
    (["sent", "scheduled"], "prevented"),
    (["sent"], "already_sent"),
    (["uncertain"], "already_sent"),
    (["skipped"], "prevented"),
]


async def _a_reminder_in(door: Door, states: list[str]) -> None:
    times = [in_future(hours=hour) for hour in range(1, len(states) + 1)]
    await door.reminder("POST", "rem-1", a_reminder(sendTimes=times))
    for seq, state in enumerate(states, start=1):
        await door.execute(f"update occurrences set {STATES[state]} where seq = {seq}")


async def _after(door: Door) -> list[str]:
    return [row["state"] for row in await door.fetch("select state from occurrences order by seq")]


@pytest.mark.parametrize(("states", "outcome"), OUTCOMES)
async def test_b_039_a_cancel_says_what_it_came_in_time_for(door: Door, states: list[str], outcome: str) -> None:
    await _a_reminder_in(door, states)
    status, item = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert (status, item["cancelOutcome"]) == (200, outcome)
    kept = [state if state not in {"scheduled", "queued"} else "cancelled" for state in states]
    assert await _after(door) == kept


@pytest.mark.parametrize(("states", "outcome"), OUTCOMES)
async def test_b_041_a_cancel_said_again_answers_the_same_and_changes_nothing(
    door: Door, states: list[str], outcome: str
) -> None:
    await _a_reminder_in(door, states)
    first = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    events = await door.events()
    assert await door.reminder("PUT", "rem-1", {"status": "cancelled"}) == first
    assert first[1]["cancelOutcome"] == outcome
    assert await door.events() == events


async def test_times_that_an_update_took_away_are_not_what_a_cancel_prevented(door: Door) -> None:
    """B-039, B-041, B-073."""
    await _a_reminder_in(door, ["sent", "scheduled"])
    row = (await door.fetch("select scheduled_for from occurrences where seq = 1"))[0]
    times = [row["scheduled_for"].isoformat()]
    status, item = await door.call("PUT", "/api/reminder/item/update", {"id": "rem-1", "sendTimes": times})
    assert (status, item["status"]) == (200, "completed")
    _, item = await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    assert item["cancelOutcome"] == "already_sent"


@pytest.mark.parametrize(("states", "outcome"), OUTCOMES)
async def test_a_delete_says_it_in_a_header(door: Door, states: list[str], outcome: str) -> None:
    """B-039, B-045."""
    await _a_reminder_in(door, states)
    url = f"{door.base}/rem-1?secret={door.account.default.primary_key}"
    response = await door.client.delete(url)
    assert (response.status, response.headers["Belltower-Cancel-Outcome"]) == (204, outcome)
    assert await door.fetch("select sequence, external_id from deleted_reminders") == [
        {"sequence": 2, "external_id": "rem-1"}
    ]


@pytest.mark.parametrize("ending", ["PUT", "DELETE"])
async def test_after_prevented_a_hint_that_is_under_way_starts_nothing(door: Door, ending: str) -> None:
    """B-038, B-045, B-266: the claim happened, its hint is on the way, and the caller was faster."""
    await door.reminder("POST", "rem-1", a_reminder(sendTimes=[in_future(seconds=-1)]))
    async with door.runtime.db.transaction() as tx:
        now = await occurrences.database_now(tx)
        (claimed,) = await occurrences.claim_due(tx, now=now, limit=10, lease=timedelta(seconds=30))
    body: Any = {"status": "cancelled"} if ending == "PUT" else None
    assert (await door.reminder(ending, "rem-1", body))[0] in {200, 204}
    routes = [occurrences.Route("sms", "sandbox", takes_key=True)]
    async with door.runtime.db.transaction() as tx:
        hints = [(claimed.id, claimed.version, uuid4())]
        assert await occurrences.begin(tx, hints, routes=routes, lease=timedelta(seconds=30)) == []


async def test_a_cancel_takes_the_reminder_off_the_road_for_good(door: Door) -> None:
    """B-038."""
    await door.reminder("POST", "rem-1", a_reminder(sendTimes=[in_future(seconds=-1), in_future(hours=1)]))
    await door.reminder("PUT", "rem-1", {"status": "cancelled"})
    async with door.runtime.db.transaction() as tx:
        now = await occurrences.database_now(tx) + timedelta(days=1)
        assert await occurrences.claim_due(tx, now=now, limit=10, lease=timedelta(seconds=30)) == []


async def test_whoever_is_first_the_cancel_or_the_send_both_say_the_same(door: Door) -> None:
    """B-039, B-266: in a hundred races, `prevented` and a begun call never meet."""
    ids = [f"rem-{n}" for n in range(100)]
    for id in ids:
        await door.reminder("POST", id, a_reminder(sendTimes=[in_future(seconds=-1)]))
    async with door.runtime.db.transaction() as tx:
        now = await occurrences.database_now(tx)
        claimed = await occurrences.claim_due(tx, now=now, limit=200, lease=timedelta(seconds=30))
    rows = await door.fetch("select id, external_id from reminders")
    named = {row["id"]: row["external_id"] for row in rows}
    routes = [occurrences.Route("sms", "sandbox", takes_key=True)]

    answered: list[tuple[str, str]] = []

    async def begin(batch: list[occurrences.Claimed], *, after: int) -> set[str]:
        while len(answered) < after:
            await asyncio.sleep(0.001)
        async with door.runtime.db.transaction() as tx:
            hints = [(claim.id, claim.version, uuid4()) for claim in batch]
            begun = await occurrences.begin(tx, hints, routes=routes, lease=timedelta(seconds=30))
            return {named[one.reminder_id] for one in begun}

    async def cancel(id: str) -> None:
        _, item = await door.reminder("PUT", id, {"status": "cancelled"})
        answered.append((id, item["cancelOutcome"]))

    # The first begin has the field to itself, the last comes when all are cancelled, the others in between.
    begun = await begin(claimed[::20], after=0)
    begins = [begin(claimed[start::20], after=start * 5 if start < 19 else 100) for start in range(1, 20)]
    begun = begun.union(*(await asyncio.gather(*begins, *(cancel(id) for id in ids)))[:19])  # type: ignore[arg-type]
    assert {id for id, outcome in answered if outcome == "in_flight"} == begun
    assert {id for id, outcome in answered if outcome == "prevented"} == set(ids) - begun
    assert 0 < len(begun) < 100
