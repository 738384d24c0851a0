"""Campaigns that were changed are planned anew for all who are enrolled, in batches beside the doors."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from integration.api.campaign_tools import (
    a_campaign,
    campaign,
    change,
    contact,
    due,
    enroll,
    planned,
    stale,
)
from integration.api.conftest import Door
from integration.sql_scan import statements

from services.api.core.policy import Core
from services.api.rearming import EVERY, Rearming

DUE = due("2030-07-15")


def rearming_of(door: Door, **options: Any) -> Rearming:
    return Rearming(door.runtime, Core.from_settings(door.runtime.settings), **options)


async def people(door: Door, id: str, count: int, *, first: int = 0) -> None:
    """So many contacts with a due date, enrolled."""
    for n in range(first, first + count):
        await enroll(door, id, (await contact(door, phone=f"+4479123456{n:02}", next_due=DUE)).id)


async def patch(door: Door, id: str, **changes: Any) -> None:
    status, answer = await door.call("PATCH", f"/v1/campaigns/{id}", changes)
    assert status == 200, answer


async def plans(door: Door, id: str) -> tuple[int, int]:
    """A campaign's plan, and the newest from which all were armed."""
    (row,) = await door.fetch("select plan, armed_plan from campaigns where id = $1::text::uuid", id)
    return row["plan"], row["armed_plan"]


@pytest.mark.parametrize("changes", [{"body": "Anew"}, {"offsets": ["PT2H"]}, {"status": "completed"}])
async def test_b_098_a_change_writes_no_enrolment_and_waits_for_none(door: Door, changes: dict[str, Any]) -> None:
    """C-7: it wrote all of them: 300,000 took longer than a statement may, and the campaign could not be ended."""
    id = await campaign(door)
    await people(door, id, 5)
    rows = "select id, xmin::text as written_by from enrollments order by id"
    before = await door.fetch(rows)
    async with door.runtime.db.transaction() as tx:
        await tx.execute("select from enrollments for update")
        await patch(door, id, **changes)
    assert await door.fetch(rows) == before
    assert await stale(door) == 5
    assert await plans(door, id) == (1, 0)


async def test_b_098_what_changes_no_send_makes_nothing_stale(door: Door) -> None:
    id = await campaign(door)
    await people(door, id, 1)
    await patch(door, id, name="Another", status="paused")
    await patch(door, id, status="running", body=a_campaign()["body"])
    assert (await plans(door, id), await stale(door)) == ((0, 0), 0)


async def test_b_135_who_is_enrolled_after_a_change_is_planned_from_it_at_once(door: Door) -> None:
    """B-098: also while those from before still wait."""
    id = await campaign(door)
    await people(door, id, 3)
    await patch(door, id, body="Anew")
    rearming = rearming_of(door, batch=1)
    assert await rearming.tick() == 0
    await people(door, id, 1, first=50)
    assert await stale(door) == 2
    (row,) = await door.fetch("select text from reminders where address = '+447912345650'")
    assert row["text"] == "Anew"
    while await rearming.tick() != EVERY:
        pass
    assert {text for _, state, text in await planned(door) if state == "scheduled"} == {"Anew"}
    assert await plans(door, id) == (1, 1)


async def test_b_098_a_contact_that_changes_meanwhile_is_armed_all_the_same(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=DUE)
    await enroll(door, id, john.id)
    await patch(door, id, body="Anew, {first_name}")
    await change(door, john.id, first_name="Johnny")
    rearming = rearming_of(door)
    while await rearming.tick() != EVERY:
        pass
    assert await stale(door) == 0
    assert {text for _, state, text in await planned(door) if state == "scheduled"} == {"Anew, Johnny"}


async def test_b_098_campaigns_take_turns(door: Door) -> None:
    """One with many enrolled, or with contacts that cannot be armed, holds no other up."""
    large, broken, small = [await campaign(door) for _ in range(3)]
    await people(door, large, 6)
    await people(door, broken, 2, first=20)
    await people(door, small, 1, first=40)
    await door.execute("update contacts set time_zone = 'Mars/Olympus' where phone like '+44791234562%'")
    for id in (large, broken, small):
        await patch(door, id, body="Anew")
    rearming = rearming_of(door, batch=1)
    for _ in range(3):
        await rearming.tick()
    texts = "select address from reminders where text = 'Anew' order by address"
    assert [row["address"] for row in await door.fetch(texts)][1:] == ["+447912345640"]
    while await rearming.tick() != EVERY:
        pass
    assert await stale(door) == 2
    assert [await plans(door, id) for id in (large, broken, small)] == [(1, 1), (1, 0), (1, 1)]


async def test_b_098_a_campaign_is_not_done_while_somebody_holds_one_of_it(door: Door) -> None:
    id = await campaign(door)
    await people(door, id, 2)
    await patch(door, id, body="Anew")
    rearming = rearming_of(door)
    async with door.runtime.db.transaction() as tx:
        await tx.execute("select from contacts where phone = '+447912345601' for update")
        while await rearming.tick() != EVERY:
            pass
        assert (await plans(door, id), await stale(door)) == ((1, 0), 1)
    while await rearming.tick() != EVERY:
        pass
    assert (await plans(door, id), await stale(door)) == ((1, 1), 0)


async def test_b_098_changes_enrolments_and_arming_at_once_end_in_the_newest_plan(door: Door) -> None:
    """B-136: from several processes; nobody is armed from an older plan than it says, and nobody is left behind."""
    id = await campaign(door)
    await people(door, id, 10)
    late = [await contact(door, phone=f"+4479123457{n:02}", next_due=DUE) for n in range(20)]
    over = asyncio.Event()

    async def keep_arming() -> None:
        rearming = rearming_of(door, batch=3)
        while await rearming.tick() != EVERY or not over.is_set():
            pass

    async with asyncio.timeout(60):
        arming = [asyncio.create_task(keep_arming()) for _ in range(2)]
        enrolling = [asyncio.create_task(enroll(door, id, one.id)) for one in late]
        for n in range(10):
            await patch(door, id, body=f"Number {n}")
        assert {answer["status"] for answer in await asyncio.gather(*enrolling)} == {"enrolled"}
        over.set()
        await asyncio.gather(*arming)
        while await stale(door):
            await rearming_of(door).tick()
    sends = [(at, text) for at, state, text in await planned(door) if state == "scheduled"]
    assert sorted(sends) == sorted([("2030-07-08T09:00", "Number 9"), ("2030-07-14T09:00", "Number 9")] * 30)
    await door.events()


@pytest.mark.parametrize(("name", "index"), [("_UNARMED", "campaigns_to_arm"), ("_OUTDATED", "enrollments_by_plan")])
async def test_b_098_the_look_for_work_reads_an_index_alone(door: Door, name: str, index: str) -> None:
    """C-7: with nothing to do it costs nothing, however many are enrolled."""
    (sql,) = [one.sql for one in statements() if one.name == name and one.module.endswith("enrollments")]
    id = await campaign(door)
    arguments = [None, 2] if name == "_UNARMED" else [UUID(id), 1, [], 50]
    async with door.runtime.db.transaction() as tx:
        await tx.execute("set local enable_seqscan = off")
        plan = "\n".join(line["QUERY PLAN"] for line in await tx.fetch(f"explain {sql}", *arguments))
    assert index in plan
    assert "Sort" not in plan


async def test_b_098_a_changed_campaign_is_planned_anew_for_all_who_are_enrolled(door: Door) -> None:
    """In batches beside the doors; until then its enrolments are stale."""
    id = await campaign(door)
    for n in range(5):
        person = await contact(door, phone=f"+4479123456{n:02}", next_due=due("2030-07-15"))
        await enroll(door, id, person.id)
    rearming = rearming_of(door, batch=2)
    assert await rearming.tick() == EVERY
    await door.call("PATCH", f"/v1/campaigns/{id}", {"offsets": ["PT2H"], "body": "In two hours, {first_name}"})
    assert await stale(door) == 5
    while await rearming.tick() == 0:
        pass
    assert await stale(door) == 0
    kept = [one for one in await planned(door) if one[1] == "scheduled"]
    assert kept == [("2030-07-15T07:00", "scheduled", "In two hours, John")] * 5
    await door.events()


async def test_a_campaign_that_changes_while_it_is_armed_is_armed_again(door: Door) -> None:
    """The mark of a change that comes meanwhile waits for the arming and outlives it."""
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    rearming = rearming_of(door)
    bodies = [f"Number {n}" for n in range(10)]

    async def keep_arming() -> None:
        while len(await door.fetch("select from reminders where text = $1", bodies[-1])) == 0:
            await rearming.tick()

    async with asyncio.timeout(20):
        arming = asyncio.create_task(keep_arming())
        for body in bodies:
            assert (await door.call("PATCH", f"/v1/campaigns/{id}", {"body": body}))[0] == 200
        await arming
    assert {text for _, state, text in await planned(door) if state == "scheduled"} == {"Number 9"}


async def test_a_completed_campaign_ends_what_it_planned(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    await door.call("PATCH", f"/v1/campaigns/{id}", {"status": "completed"})
    await rearming_of(door).tick()
    assert {state for _, state, _ in await planned(door)} == {"cancelled"}


async def test_who_is_being_changed_is_armed_by_a_later_look(door: Door) -> None:
    id, john = await campaign(door), await contact(door, next_due=due("2030-07-15"))
    await enroll(door, id, john.id)
    rearming = rearming_of(door)
    await door.call("PATCH", f"/v1/campaigns/{id}", {"body": "Anew"})
    async with door.runtime.db.transaction() as tx:
        await tx.execute("select from contacts for update")
        assert await rearming.tick() == EVERY
    assert await rearming.tick() == 0
    assert {text for _, _, text in await planned(door)} == {"Anew"}


async def test_a_contact_that_cannot_be_armed_keeps_nobody_else_from_it(door: Door) -> None:
    """However many there are: the oldest come first, and a look takes no more than its batch."""
    id = await campaign(door)
    for n in range(3):
        person = await contact(door, phone=f"+4479123456{n:02}", next_due=due("2030-07-15"))
        await enroll(door, id, person.id)
    await door.execute("update contacts set time_zone = 'Mars/Olympus' where phone <> '+447912345602'")
    await door.call("PATCH", f"/v1/campaigns/{id}", {"body": "Anew"})
    rearming = rearming_of(door, batch=1)
    for _ in range(3):
        await rearming.tick()
    assert await stale(door) == 2
    (armed,) = await door.fetch("select address from reminders where text = 'Anew'")
    assert armed["address"] == "+447912345602"
