"""kill -9 of schedulers and dispatchers in the middle of the work: nothing lost, nothing twice (R-01, R-02, R-03)."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from tests.rig.bounds import p99
from tests.rig.house import QUICK
from tests.rig.processes import Process, running
from tests.rig.sizes import pick
from tests.rig.trial import Trial

SENDS, KILLS = pick(1_000, 10_000), pick(6, 20)
AT_ONCE = pick(25, 50)
Figure = Callable[[str], None]


def twilio(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Settings that send through a provider that takes no keys."""
    return dict(environment) | {
        "BELLTOWER_PROVIDER": "sandbox",
        "BELLTOWER_PROVIDER_SMS": "twilio",
        "BELLTOWER_TWILIO_API_URL": url,
        "BELLTOWER_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
        "BELLTOWER_TWILIO_AUTH_TOKEN": "token",
        "BELLTOWER_TWILIO_SMS_FROM": "+15005550006",
    }


async def kill_in_turn(own: Trial, victims: Sequence[Process], kills: int, sends: int) -> datetime:
    """Kill one after the other while messages are under way, and start each again at once; when the last was."""
    dice = random.Random(7)
    for victim, _ in zip(cycle(victims), range(kills), strict=False):
        await own.until_called(sends * 2 // (3 * kills))
        await asyncio.sleep(dice.uniform(0, 0.1))
        victim.kill()
        victim.start()
    return datetime.now(UTC)


async def storm(own: Trial, environment: Mapping[str, str], folder: Path, *, sends: int, kills: int) -> float:
    """Seconds from the last of so many kills, over two dispatchers and two schedulers, until all has ended."""
    own.provider.latency = (0.02, 0.3)
    calm = {**environment, "BELLTOWER_SEND_CONCURRENCY": str(AT_ONCE), "BELLTOWER_CLAIM_BATCH": "100"}
    async with running({"scheduler": 2, "dispatcher": 2}, calm, folder) as processes:
        await own.seed(sends, due_in=1)
        victims = [p for pair in zip(processes["dispatcher"], processes["scheduler"], strict=True) for p in pair]
        calmed_at = await kill_in_turn(own, victims, kills, sends)
        return await own.check(calmed_at=calmed_at, within=60)


async def test_sends_survive_kills_with_none_lost_and_none_twice_r_01_r_03(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    began = datetime.now(UTC)
    seconds = await storm(own, environment, tmp_path, sends=SENDS, kills=KILLS)
    states = await own.ask("select count(*) from occurrences where state = 'sent'")
    assert states == SENDS == len({call.occurrence_id for call in own.calls})
    figure(
        f"R-01: {SENDS} sends, {KILLS} × kill -9 over dispatchers and schedulers: 0 lost, 0 twice, "
        f"{len(own.calls) - SENDS} repeats absorbed by their key, all over {seconds:.1f} s after the last kill "
        f"({(datetime.now(UTC) - began).total_seconds():.0f} s in all)"
    )


async def test_without_keys_a_kill_parks_what_was_under_way_and_doubles_nothing_r_02(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    own.provider.honours_keys = False
    seconds = await storm(own, twilio(environment, own.provider.url), tmp_path, sends=SENDS, kills=KILLS)
    states = await _states(own)
    assert set(states) <= {"sent", "uncertain"}
    assert states.total() == SENDS, "lost"
    assert len(own.provider.messages) <= SENDS, "doubled"
    parked = await own.ask("select count(distinct occurrence_id) from attempts where outcome = 'unknown'")
    assert 0 < parked <= KILLS * AT_ONCE
    figure(
        f"R-02: {SENDS} sends, {KILLS} × kill -9, a provider without keys: 0 twice, {parked} parked and listed, "
        f"{states['uncertain']} of them unresolved yet, all over {seconds:.1f} s after the last kill"
    )


async def test_who_prefers_doubles_to_gaps_has_each_double_in_its_history_r_02(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    own.provider.honours_keys = False
    sends, kills = pick(300, 3_000), pick(3, 10)
    settings = twilio(environment, own.provider.url)
    own.provider.latency = (0.05, 0.3)
    await own.ask("update accounts set on_unknown = 'retry' where id = $1", own.account_id)
    seconds = await storm(own, settings, tmp_path, sends=sends, kills=kills)
    assert await _states(own) == {"sent": sends}
    books = await own.books()
    messages = Counter(call.occurrence_id for call in books.provider or ())
    doubled = {id for id, count in messages.items() if count > 1}
    told = {row.occurrence_id for row in books.rows.attempts if row.outcome == "unknown"}
    assert doubled <= told, "a double that no history tells of"
    assert len(doubled) <= kills * AT_ONCE
    figure(
        f"R-02: the same with `retry`, {sends} sends, {kills} kills: 0 lost, {len(doubled)} twice, each with a "
        f"SendError in its history, all over {seconds:.1f} s after the last kill"
    )


async def _states(own: Trial) -> Counter[str]:
    books = await own.books()
    return Counter(row.state for row in books.rows.occurrences)


async def test_killed_schedulers_make_sends_late_by_no_more_than_a_lease_r_03(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    sends, over, kills = pick(600, 10_000), pick(8.0, 60.0), pick(5, 20)
    async with running({"scheduler": 2, "dispatcher": 1}, environment, tmp_path) as processes:
        await own.seed(sends, due_in=1, over=over)
        await asyncio.sleep(1)
        for victim, _ in zip(cycle(processes["scheduler"]), range(kills), strict=False):
            await asyncio.sleep(over / (kills + 1))
            victim.kill()
            await victim.start().ready()  # never both at once: lateness is to come from leases alone
        calmed_at = datetime.now(UTC)
        await own.check(calmed_at=calmed_at)
    books = await own.books()
    due = {row.id: row.scheduled_for for row in books.rows.occurrences}
    late = [(call.at - due[call.occurrence_id]).total_seconds() for call in books.provider or ()]
    assert min(late) >= 0, "rang early"
    assert p99(late) <= float(QUICK["BELLTOWER_LEASE"]) + 5
    figure(
        f"R-03: {sends} sends due over {over:.0f} s, {kills} × kill -9 of a scheduler: 0 lost, 0 twice, "
        f"late at most {max(late):.1f} s, p99 {p99(late):.2f} s"
    )


async def test_all_services_are_killed_at_once_r_06(
    own: Trial, environment: dict[str, str], tmp_path: Path, figure: Figure
) -> None:
    sends, kills = pick(400, 5_000), pick(2, 5)
    own.provider.latency = (0.02, 0.2)
    async with running({"scheduler": 1, "dispatcher": 1, "webhooks": 1}, environment, tmp_path) as processes:
        every = [process for group in processes.values() for process in group]
        await own.seed(sends, due_in=1)
        for _ in range(kills):
            await own.until_called(sends // (kills + 1))
            for process in every:
                process.kill()
            for process in every:
                process.start()
        calmed_at = datetime.now(UTC)
        seconds = await own.check(calmed_at=calmed_at)
    figure(f"R-06: everything killed at once {kills} times, {sends} sends: 0 lost, 0 twice, over {seconds:.1f} s later")
