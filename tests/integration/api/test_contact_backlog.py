"""Recurrent contacts that wait for a campaign's sends hold nobody else up, however many they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.api.campaign_tools import a_campaign, campaign
from integration.api.conftest import Door
from integration.sql_scan import statements

from services.api import upkeep
from services.api.core.policy import Core
from services.api.upkeep import EVERY, SOON, Advancing

WINDOW = 5
NOW = datetime(2030, 2, 1, 0, 0, 1, tzinfo=UTC)
EVERY_MONTH = {"is_recurrent": True, "recurrent_interval_value": 1, "recurrent_interval_unit": "months"}


@pytest.fixture(autouse=True)
def _small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WINDOW", WINDOW)


async def _due(door: Door, phone: str, day: str = "2030-01-31", **body: Any) -> None:
    given = {"phone": phone, "next_due_at": day, "marketing_consent": True, **EVERY_MONTH, **body}
    status, answer = await door.call("POST", "/v1/contacts", given)
    assert status == 201, answer


async def _waiting(door: Door, count: int) -> None:
    """So many whose day is over, and whose campaign is paused with a send that is due."""
    id = await campaign(door, a_campaign(body="Hello"))
    for n in range(count):
        await _due(door, f"+4479123456{n:02}", campaign_ids=[id])
    await door.call("POST", f"/v1/campaigns/{id}/pause")


async def _next_due(door: Door, phone: str) -> str:
    due: str = (await door.call("GET", f"/v1/contacts/{phone}"))[1]["contact"]["next_due_at"]
    return due


def _advancing(door: Door) -> Advancing:
    return Advancing(door.runtime, Core.from_settings(door.runtime.settings))


async def _rows_read(door: Door, name: str, *arguments: Any) -> float:
    """The most rows that one scan reads, over all its loops; of `contacts`, and of the sends that they wait for."""
    (sql,) = [one.sql for one in statements() if one.name == name and one.module.endswith("contact_upkeep")]
    async with door.runtime.db.transaction() as tx:
        await tx.execute("set local enable_seqscan = off")  # as it is planned where the tables are large
        plan = await tx.fetchval("explain (analyze, format json) " + sql, *arguments)
    found = [0.0]

    def walk(node: dict[str, Any]) -> None:
        if "Relation Name" in node:
            found.append((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for child in node.get("Plans", []):
            walk(child)

    walk(json.loads(plan)[0]["Plan"])
    return max(found)


async def test_b_116_a_look_reads_one_window_of_those_who_wait(door: Door) -> None:
    """C-7: a paused campaign with 300,000 of them took a second of each process, every ten seconds."""
    await _waiting(door, 4 * WINDOW)
    await door.execute("analyze")
    assert 0 < await _rows_read(door, "_PASSED", NOW, timedelta(days=1), 50, None, None, WINDOW) <= 2 * WINDOW
    assert 0 < await _rows_read(door, "_END_OF_WINDOW", NOW, None, None, WINDOW) <= WINDOW


async def test_b_113_who_stands_behind_those_who_wait_moves_on_within_one_round(door: Door) -> None:
    """C-7: window by window, with a short pause between; then it begins again at the oldest."""
    await _waiting(door, 2 * WINDOW)
    await _due(door, "+447912345699")
    tick = _advancing(door).tick
    assert [await tick(NOW) for _ in range(2)] == [SOON, SOON]
    assert await _next_due(door, "+447912345699") == "2030-01-31"
    assert await tick(NOW) == EVERY
    assert await _next_due(door, "+447912345699") == "2030-02-28"
    assert [await tick(NOW) for _ in range(3)] == [SOON, SOON, EVERY]


async def test_b_116_those_who_wait_move_on_in_the_round_after_their_sends_ended(door: Door) -> None:
    """C-7: also those whom the present round has passed by."""
    await _waiting(door, 2 * WINDOW + 1)
    tick = _advancing(door).tick
    assert await tick(NOW) == SOON
    await door.execute("update occurrences set state = 'sent', ended_at = now() where state = 'scheduled'")
    for _ in range(5):
        await tick(NOW)
    assert await door.fetch("select distinct next_due from contacts") == [{"next_due": "2030-02-28"}]
