"""What waits for something - a paused configuration, a resting provider - holds nobody else up, however much it is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from integration.sql_scan import statements

from services.scheduler import scheduler
from tests.integration.sending.conftest import Sending

WINDOW = 10


@pytest.fixture(autouse=True)
def _small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "WINDOW", WINDOW)


async def _backlog(sending: Sending, count: int) -> None:
    """So many sends that have been due for a while, in a configuration that is paused."""
    other, mine = uuid4(), sending.configuration
    await sending.execute(
        """insert into configurations
               (id, account_id, agent_id, configuration_id, name, state, created_at, updated_at)
           values ($1, $2, 'other', 'other', 'other', 'paused', now(), now())""",
        other,
        sending.account,
    )
    sending.configuration = other
    for number in range(count):
        await sending.remind(-100 - number)
    sending.configuration = mine


async def _rows_read(sending: Sending, name: str, *arguments: Any) -> float:
    """The most rows that one scan of `occurrences` reads, over all its loops."""
    (sql,) = [one.sql for one in statements() if one.name == name and one.module.endswith("occurrences")]
    async with sending.runtime.db.transaction() as tx:
        # As it is planned where the tables are large.
        await tx.execute("set local enable_hashjoin = off")
        await tx.execute("set local enable_seqscan = off")
        plan = await tx.fetchval("explain (analyze, format json) " + sql, *arguments)
    found = [0.0]

    def walk(node: dict[str, Any]) -> None:
        if node.get("Relation Name") == "occurrences":
            found.append((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for child in node.get("Plans", []):
            walk(child)

    walk(json.loads(plan)[0]["Plan"])
    return max(found)


async def test_a_claim_reads_one_window_of_a_backlog_that_cannot_be_claimed(sending: Sending) -> None:
    """B-265, C-7: else one account's pause is everybody's standstill, once reading it all takes too long."""
    await _backlog(sending, 40)
    await sending.execute("analyze")
    now = await sending.now()
    read = await _rows_read(sending, "_CLAIM", now, None, None, WINDOW, 500, timedelta(seconds=30))
    assert 0 < read <= WINDOW


async def test_what_falls_due_behind_a_backlog_goes_out_at_the_next_look(sending: Sending) -> None:
    """B-265, C-7."""
    await _backlog(sending, 4 * WINDOW)
    reminder = await sending.remind(0)
    await sending.ring()
    assert (await sending.occurrence(reminder))["state"] == "sent"


async def test_what_is_inside_a_backlog_is_reached_look_by_look(sending: Sending) -> None:
    """B-265, C-7: and those looks follow each other quickly, until the backlog's end."""
    await _backlog(sending, 4 * WINDOW)
    reminder, pauses = await sending.remind(-115.5), []
    while (await sending.occurrence(reminder))["state"] != "sent":
        pauses.append(await sending.ring())
        assert len(pauses) <= 4
    assert max(pauses) < 0.1


async def test_a_backlog_goes_out_whole_once_its_configuration_is_resumed(sending: Sending) -> None:
    """B-265."""
    await _backlog(sending, 3 * WINDOW + 5)
    for _ in range(2):
        await sending.ring()
    await sending.execute("update configurations set state = 'running'")
    looks = 0
    while await sending.fetch("select from occurrences where state <> 'sent'"):
        await sending.ring()
        looks += 1
        assert looks <= 8
    assert len(sending.provider.messages) == 3 * WINDOW + 5
    assert await sending.ring() > 1, "at the end it sleeps again"
