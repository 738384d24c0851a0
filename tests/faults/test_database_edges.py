"""No connection left, a deaf ear, callers that hang up: what happens at the edges of PostgreSQL's connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.faults.test_database_faults import same_processes
from tests.rig.house import House
from tests.rig.sizes import pick
from tests.rig.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="session")

Figure = Callable[[str], None]
BACK_WITHIN = 10.0
_TURN_OUT = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and pid <> all($1)"""


async def _all_that_are_left(house: House) -> list[asyncpg.Connection]:
    held = []
    try:
        while True:
            held.append(await asyncpg.connect(house.dsn, ssl=False))
    except asyncpg.TooManyConnectionsError:
        return held


async def test_a_full_postgres_is_answered_with_503_at_once_d_11(house: House, trial: Trial, figure: Figure) -> None:
    before, held = house.pids, []
    operator = await asyncpg.connect(house.dsn)
    while True:  # whoever is turned out asks again at once, and may be first
        held += await _all_that_are_left(house)
        own = [connection.get_server_pid() for connection in (operator, *held)]
        if not await operator.fetch(_TURN_OUT, own):
            break
    answers = [await trial.client.create(f"full {n}", datetime.now(UTC)) for n in range(5)]
    for connection in (operator, *held):
        connection.terminate()
    calmed_at = datetime.now(UTC)
    back = await trial.until_accepted()
    slowest = max(answer.seconds for answer in answers)
    assert {answer.status for answer in answers} == {503}
    assert slowest <= 3.5
    await house.ready(within=BACK_WITHIN)
    seconds = await trial.check(calmed_at=calmed_at)
    same_processes(house, before)
    statuses = [answer.status for answer in answers]
    figure(
        f"D-11: no connection left: {statuses} within {slowest:.2f} s, back in {back:.1f} s, settled in {seconds:.1f} s"
    )


async def test_a_deaf_ear_for_notifications_makes_a_send_two_seconds_late_at_most_d_12(
    house: House, trial: Trial, figure: Figure
) -> None:
    late = []
    house.to_postgres.silence(b"belltower listen")
    for n in range(pick(3, 10)):
        due = datetime.now(UTC) + timedelta(seconds=0.2)
        assert (await trial.client.create(f"reminder {n}", due)).promised
        await trial.until_ended(within=10)
        late.append(max(call.at for call in trial.provider.calls) - due.timestamp())
    assert max(late) <= 2.5
    await trial.check()
    figure(f"D-12: the LISTEN connection silent: sends at most {max(late):.2f} s late, {min(late):.2f} s at best")


async def test_callers_that_hang_up_leave_nothing_half_done_d_13(house: House, trial: Trial, figure: Figure) -> None:
    async def hang_up(n: int) -> None:
        due = datetime.now(UTC) + timedelta(hours=1)
        task = asyncio.create_task(trial.client.create(f"reminder {n}", due))
        await asyncio.sleep(0.005 * (n % 40))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    count = 400
    for first in range(0, count, 20):
        await asyncio.gather(*(hang_up(n) for n in range(first, first + 20)))
    answered = sum(one.promised for one in trial.client.log)
    statement = "select count(*) from reminders where account_id = $1"
    async with asyncio.timeout(10):
        while await trial.ask("select count(*) from pg_stat_activity where state like 'idle in transaction%'"):
            await asyncio.sleep(0.05)
    committed = await trial.ask(statement, trial.account_id)
    due = datetime.now(UTC) + timedelta(hours=1)
    for n in range(count):
        await trial.client.ask("create", "POST", f"reminder {n}", _body(n, due), key=f"again {n}")
    assert await trial.ask(statement, trial.account_id) <= count
    assert trial.client.statuses().keys() <= {200, 201, 409, None}
    await trial.check()
    figure(f"D-13: {count} callers hung up: {answered} had an answer, {committed} rows were committed, 0 are open")


def _body(n: int, due: datetime) -> dict[str, object]:
    return {
        "countryCode": "+62",
        "phoneNumber": "81234567890",
        "notificationTemplateName": "greeting",
        "templateParameters": [f"reminder {n}"],
        "sendTimes": [due.isoformat()],
    }
