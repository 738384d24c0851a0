"""kill -9 in the middle of the work: nothing lost, nothing twice (R-01, R-02, R-03 at their small size)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

from shared.store.database import Database
from tests.faults.conftest import schedule
from tests.rig.processes import Process, running
from tests.rig.provider_server import ProviderServer

SENDS, KILLS = 1_000, 5
ALL_TERMINAL_WITHIN = 60.0
UNFINISHED = "select count(*) from occurrences where state in ('scheduled', 'queued', 'sending')"


async def _count(db: Database, statement: str) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval(statement))


async def _kill_in_turn(victims: Sequence[Process], provider: ProviderServer, kills: int, dice: random.Random) -> None:
    """Kill one after the other, at moments when messages are under way, and start each again at once."""
    for victim, _ in zip(cycle(victims), range(kills), strict=False):
        taken = len(provider.calls)
        async with asyncio.timeout(30):
            while len(provider.calls) < taken + SENDS // (3 * kills):
                await asyncio.sleep(0.01)
        await asyncio.sleep(dice.uniform(0, 0.1))
        victim.kill()
        victim.start()


async def _until_terminal(db: Database) -> float:
    """Seconds until every occurrence has ended."""
    started = time.monotonic()
    async with asyncio.timeout(ALL_TERMINAL_WITHIN):
        while await _count(db, UNFINISHED):
            await asyncio.sleep(0.1)
    return time.monotonic() - started


async def _storm(db: Database, provider: ProviderServer, environment: dict[str, str], folder: Path) -> float:
    provider.latency = (0.05, 0.4)
    calm = {**environment, "BELLTOWER_SEND_CONCURRENCY": "25", "BELLTOWER_CLAIM_BATCH": "100"}
    async with running({"scheduler": 2, "dispatcher": 2}, calm, folder) as processes:
        await schedule(db, SENDS, due_in=1)
        victims = [p for pair in zip(processes["dispatcher"], processes["scheduler"], strict=True) for p in pair]
        await _kill_in_turn(victims, provider, 2 * KILLS, random.Random(7))
        return await _until_terminal(db)


async def test_a_thousand_sends_survive_ten_kills_with_none_lost_and_none_twice_r_01_r_03(
    db: Database, provider: ProviderServer, environment: dict[str, str], tmp_path: Path, figure: Callable[[str], None]
) -> None:
    seconds = await _storm(db, provider, environment, tmp_path)
    sent = Counter(call.occurrence_id for call in provider.messages)
    assert len(sent) == SENDS, "lost"
    assert set(sent.values()) == {1}, "doubled"
    assert await _count(db, "select count(*) from occurrences where state = 'sent'") == SENDS
    assert await _count(db, "select count(*) from reminders where status = 'completed'") == SENDS
    repeats = len(provider.calls) - SENDS
    figure(
        f"{SENDS} sends, {2 * KILLS} kills: 0 lost, 0 twice, {repeats} repeats absorbed by their key, {seconds:.1f} s"
    )


async def test_without_keys_a_kill_parks_what_was_under_way_and_doubles_nothing_r_02(
    db: Database,
    provider: ProviderServer,
    environment: dict[str, str],
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    keyless = environment | {
        "BELLTOWER_PROVIDER": "sandbox",
        "BELLTOWER_PROVIDER_SMS": "twilio",
        "BELLTOWER_TWILIO_API_URL": provider.url,
        "BELLTOWER_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
        "BELLTOWER_TWILIO_AUTH_TOKEN": "token",
        "BELLTOWER_TWILIO_SMS_FROM": "+15005550006",
    }
    seconds = await _storm(db, provider, keyless, tmp_path)
    uncertain = await _count(db, "select count(*) from occurrences where state = 'uncertain'")
    sent = await _count(db, "select count(*) from occurrences where state = 'sent'")
    assert sent + uncertain == SENDS, "lost"
    assert sent <= len(provider.messages) <= SENDS, "doubled"
    assert 0 < uncertain <= KILLS * 25
    figure(f"{SENDS} sends, {2 * KILLS} kills, no keys: 0 lost, 0 twice, {uncertain} parked, {seconds:.1f} s")
