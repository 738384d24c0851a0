"""PostgreSQL is killed, stopped, silent or read-only: nothing that was accepted is lost, and no request hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.rig.house import House
from tests.rig.processes import Process
from tests.rig.proxy import Mode
from tests.rig.sizes import pick
from tests.rig.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="session")

Figure = Callable[[str], None]
BOUNDED = 8.0
"""Seconds that a request may take, whatever is away."""
BACK_WITHIN = 10.0


async def order(house: House, statement: str) -> None:
    """One statement of the server's operator."""
    connection = await asyncpg.connect(house.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def same_processes(house: House, before: list[int]) -> None:
    assert house.pids == before, "a service ended"


async def test_every_backend_is_terminated_again_and_again_d_01(house: House, trial: Trial, figure: Figure) -> None:
    before, times = house.pids, pick(5, 30)
    async with trial.loaded():
        for _ in range(times):
            await order(house, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
            await asyncio.sleep(1)
        calmed_at = datetime.now(UTC)
        await trial.until_accepted()
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    assert set(trial.client.statuses()) <= {201, 503}
    figure(f"D-01: {times} × every backend terminated, answers {trial.client.statuses()}: settled in {seconds:.1f} s")


async def test_postgres_is_killed_under_load_and_no_accepted_reminder_is_lost_d_02(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, kills, back_after = house.pids, pick(2, 5), []
    async with trial.loaded():
        for _ in range(kills):
            await asyncio.sleep(1)
            await asyncio.to_thread(house.postgres.kill)
            await asyncio.to_thread(house.postgres.start)
            calmed_at = datetime.now(UTC)
            await trial.until_accepted(within=BACK_WITHIN)
            await house.ready(within=BACK_WITHIN)
            back_after.append((datetime.now(UTC) - calmed_at).total_seconds())
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    assert set(trial.client.statuses()) <= {201, 503}
    assert trial.client.slowest <= BOUNDED
    accepted = trial.client.statuses()[201]
    figure(
        f"D-02: {kills} × kill -9 of PostgreSQL, {accepted} reminders accepted: 0 lost, every service ready again "
        f"{max(back_after):.1f} s after it, settled in {seconds:.1f} s"
    )


async def test_a_stopped_postgres_is_answered_with_503_and_waited_for_quietly_d_03(
    house: House, trial: Trial, figure: Figure
) -> None:
    before, away, accepted = house.pids, pick(8.0, 30.0), datetime.now(UTC) + timedelta(seconds=2)
    assert (await trial.client.create("before", accepted)).promised
    await asyncio.to_thread(house.postgres.kill)
    lines = {process: _unasked(process) for process in house.every}
    began = time.monotonic()
    while time.monotonic() < began + away:
        await trial.client.create("while away", datetime.now(UTC))
        await asyncio.sleep(0.5)
    spoke = {process.service: _unasked(process) - count for process, count in lines.items()}
    await asyncio.to_thread(house.postgres.start)
    calmed_at = datetime.now(UTC)
    back = await trial.until_accepted(within=BACK_WITHIN)
    assert trial.client.statuses("create").keys() == {201, 503}
    slowest = max(one.seconds for one in trial.client.log if one.status == 503)
    assert slowest <= 6
    assert max(spoke.values()) < 5 * away, spoke
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    figure(
        f"D-03: PostgreSQL away for {away:.0f} s: 503 within {slowest:.2f} s, at most "
        f"{max(spoke.values()) / away:.1f} log lines a second, back in {back:.1f} s, settled in {seconds:.1f} s"
    )


def _unasked(process: Process) -> int:
    """Log lines that no request caused."""
    return sum("request_id" not in line for line in process.lines())


async def test_a_silent_network_to_postgres_hangs_no_request_d_04(house: House, trial: Trial, figure: Figure) -> None:
    before, silence = house.pids, pick(15.0, 60.0)
    async with trial.loaded():
        await house.to_postgres.set(Mode.BLACKHOLE)
        await asyncio.sleep(silence)
        await house.to_postgres.set(Mode.PASS)
        calmed_at = datetime.now(UTC)
        await trial.until_accepted(within=BACK_WITHIN)
        await house.ready(within=BACK_WITHIN)
        back = (datetime.now(UTC) - calmed_at).total_seconds()
    assert trial.client.slowest <= BOUNDED
    assert set(trial.client.statuses()) <= {201, 503}
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    figure(
        f"D-04: {silence:.0f} s blackhole before PostgreSQL: the slowest request {trial.client.slowest:.1f} s, "
        f"all services ready {back:.1f} s after it, settled in {seconds:.1f} s"
    )


async def test_a_commit_whose_answer_was_lost_is_made_once_d_05(house: House, trial: Trial, figure: Figure) -> None:
    times, made = pick(10, 100), 0
    for n in range(times):
        house.to_postgres.lose_replies_to(b"COMMIT", 1)
        due = datetime.now(UTC) + timedelta(seconds=1)
        assert (await trial.client.create(f"reminder {n}", due, tries=20)).promised
        made += house.to_postgres.lost
    house.to_postgres.lose_replies_to(b"", 0)
    assert await trial.ask("select count(*) from reminders where account_id = $1", trial.account_id) == times
    unanswered = sum(not one.promised for one in trial.client.log)
    assert unanswered, "no lost answer met a create"
    await trial.check()
    figure(f"D-05: {made} answers to COMMIT lost, {unanswered} of them to creates: {times} reminders, each once")


async def test_a_read_only_postgres_is_answered_with_503_and_recovers_d_07(
    house: House, trial: Trial, figure: Figure
) -> None:
    before = house.pids
    async with trial.loaded():
        await order(house, "alter system set default_transaction_read_only = on")
        try:
            await order(house, "select pg_reload_conf()")
            await asyncio.sleep(pick(3, 10))
            while_read_only = trial.client.log[-1].status
            assert (await trial.client.read("nothing")).status == 404, "what only reads goes on"
        finally:
            await order(house, "alter system reset default_transaction_read_only")
            await order(house, "select pg_reload_conf()")
        calmed_at = datetime.now(UTC)
        back = await trial.until_accepted()
    assert while_read_only == 503
    assert set(trial.client.statuses("create")) <= {201, 503}
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    figure(f"D-07: read-only for a while: 503, accepted again after {back:.1f} s, settled in {seconds:.1f} s")


async def test_a_locked_table_makes_no_request_wait_long_d_09(house: House, trial: Trial, figure: Figure) -> None:
    before = house.pids
    async with trial.loaded(callers=20):
        connection = await asyncpg.connect(house.dsn)
        async with connection.transaction():
            await connection.execute("lock table reminders in access exclusive mode")
            await asyncio.sleep(pick(4, 10))
        await connection.close()
        calmed_at = datetime.now(UTC)
        back = await trial.until_accepted()
    assert set(trial.client.statuses("create")) <= {201, 503}
    assert trial.client.slowest <= BOUNDED
    waited = sorted(one.seconds for one in trial.client.log if one.status == 503)
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    figure(
        f"D-09: a table locked under 20 callers: 503 after {waited[len(waited) // 2]:.1f} s, at most "
        f"{waited[-1]:.1f} s, accepted again after {back:.1f} s, settled in {seconds:.1f} s"
    )


_BACKWARDS = """
    with place as materialized (select o.id, o.reminder_id from occurrences o join reminders r on r.id = o.reminder_id
                                where r.account_id = $1 and r.external_id = $2 for update of o),
         slept as materialized (select pg_sleep(0.3) from place)
    select r.id from reminders r join place p on p.reminder_id = r.id, slept for update of r"""


async def test_a_deadlock_is_tried_again_and_never_answered_with_500_d_10(
    house: House, trial: Trial, figure: Figure
) -> None:
    """Somebody locks a reminder's places before the reminder, against the order that the API keeps."""
    names, victims = [f"reminder {n}" for n in range(pick(6, 30))], 0
    for name in names:
        await trial.client.create(name, datetime.now(UTC) + timedelta(hours=1))
    connection = await asyncpg.connect(house.dsn)
    try:
        for name in names:
            async with asyncio.TaskGroup() as both:
                backwards = both.create_task(_quietly(connection, trial, name))
                await asyncio.sleep(0.1)
                both.create_task(trial.client.cancel(name))
            victims += not backwards.result()
    finally:
        await connection.close()
    assert trial.client.statuses("cancel") == {200: len(names)}
    await trial.check()
    figure(f"D-10: {len(names)} deadlocks, {len(names) - victims} of them lost by the API: every cancel answered 200")


async def _quietly(connection: asyncpg.Connection, trial: Trial, name: str) -> bool:
    """Whether it got its locks; false where it was the deadlock's victim."""
    try:
        await connection.execute(_BACKWARDS, trial.account_id, name)
    except asyncpg.DeadlockDetectedError:
        return False
    return True
