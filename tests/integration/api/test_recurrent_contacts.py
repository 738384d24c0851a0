"""Recurrent contacts move on by themselves, with their events and their planned sends, in any number of processes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.api import serve, upkeep
from services.api.core.policy import Core
from services.api.upkeep import EVERY, LATER, SOON, Advancing
from shared.runtime.runtime import Runtime

if TYPE_CHECKING:
    from conftest import Door

PHONE = "+447912345678"
EVERY_MONTH = {"is_recurrent": True, "recurrent_interval_value": 1, "recurrent_interval_unit": "months"}


def advancing(door: Door, **options: Any) -> Advancing:
    return Advancing(door.runtime, Core.from_settings(door.runtime.settings), **options)


async def upsert(door: Door, **body: Any) -> dict[str, Any]:
    status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE, **body})
    assert status in {200, 201}, answer
    contact: dict[str, Any] = answer["contact"]
    return contact


async def contact(door: Door, phone: str = PHONE) -> dict[str, Any]:
    status, answer = await door.call("GET", f"/v1/contacts/{phone}")
    assert status == 200
    found: dict[str, Any] = answer["contact"]
    return found


async def test_b_113_and_b_116_the_date_moves_on_when_its_day_is_over_and_each_time(door: Door) -> None:
    """B-115: the end of January is the end of February and of March."""
    await upsert(door, next_due_at="2030-01-31", **EVERY_MONTH)
    tick = advancing(door).tick
    for now, due in (
        (datetime(2030, 1, 31, 23, 59, 59, tzinfo=UTC), "2030-01-31"),
        (datetime(2030, 2, 1, tzinfo=UTC), "2030-02-28"),
        (datetime(2030, 2, 28, 23, 59, tzinfo=UTC), "2030-02-28"),
        (datetime(2030, 3, 1, tzinfo=UTC), "2030-03-31"),
    ):
        await tick(now)
        assert (await contact(door))["next_due_at"] == due
    assert await door.events() == ["contact.created", "contact.updated", "contact.updated"]
    assert door.runtime.events_written.is_set()


async def test_b_114_months_of_standstill_are_one_step_and_one_event(door: Door) -> None:
    await upsert(door, next_due_at="2025-03-15", **EVERY_MONTH)
    assert (await contact(door))["next_due_at"] == "2025-03-15"
    await advancing(door).tick()
    now = (await door.fetch("select now() as now"))[0]["now"]
    due = datetime.fromisoformat((await contact(door))["next_due_at"]).replace(tzinfo=UTC)
    assert now - timedelta(days=1) < due < now + timedelta(days=31)
    assert due.day == 15
    assert await door.events() == ["contact.created", "contact.updated"]
    (told,) = await door.fetch("select data from outbox where type = 'contact.updated'")
    missed = told["data"]["missed_due_dates"]
    assert missed[0] == "2025-04-15"
    assert missed == sorted(missed)
    assert missed[-1] < (await contact(door))["next_due_at"]


async def test_b_113_the_api_moves_dates_on_without_being_asked(door: Door) -> None:
    await upsert(door, next_due_at="2025-03-15", **EVERY_MONTH)
    settings = door.runtime.settings.model_copy(update={"api_port": 0, "readiness_delay": 0.0, "drain": 0.0})
    runtime = Runtime(settings=settings, db=door.runtime.db, bus=door.runtime.bus)
    serving = asyncio.create_task(serve.run(runtime))
    try:
        async with asyncio.timeout(10):
            while (await contact(door))["next_due_at"] == "2025-03-15":
                await asyncio.sleep(0.02)
    finally:
        runtime.stopping.set()
        await serving
    assert runtime.events_written.is_set()


async def test_b_117_and_b_112_what_is_needed_to_recur_is_asked_for(door: Door) -> None:
    for body, fields in (
        ({"is_recurrent": True}, {"recurrent_interval_value", "recurrent_interval_unit"}),
        ({"is_recurrent": True, "recurrent_interval_unit": "days"}, {"recurrent_interval_value"}),
        (EVERY_MONTH, {"next_due_at"}),
        ({"recurrent_interval_value": 3}, {"is_recurrent"}),
    ):
        status, answer = await door.call("POST", "/v1/contacts", {"phone": PHONE, **body})
        assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert {problem["field"] for problem in answer["error"]["details"]["problems"]} == fields
    assert await door.fetch("select id from contacts") == []
    derived = await upsert(door, last_service_at="2030-01-31", **EVERY_MONTH)
    assert derived["next_due_at"] == "2030-02-28"


async def test_b_118_switched_off_it_stays_where_it_is(door: Door) -> None:
    await upsert(door, next_due_at="2030-01-31", **EVERY_MONTH)
    off = await upsert(door, is_recurrent=False)
    assert off["next_due_at"] == "2030-01-31"
    assert (off["is_recurrent"], off["recurrent_interval_value"], off["recurrent_interval_unit"]) == (False, None, None)
    await advancing(door).tick(datetime(2031, 1, 1, tzinfo=UTC))
    assert (await contact(door))["next_due_at"] == "2030-01-31"


async def test_b_113_many_processes_move_each_contact_on_once(door: Door) -> None:
    for n in range(60):
        await upsert(door, phone=f"+4479123456{n:02}", next_due_at="2030-01-31", **EVERY_MONTH)
    now = datetime(2030, 2, 1, tzinfo=UTC)
    pauses = await asyncio.gather(*(advancing(door, batch=20).tick(now) for _ in range(6)))
    while 0.0 in pauses:
        pauses = await asyncio.gather(*(advancing(door, batch=20).tick(now) for _ in range(3)))
    rows = await door.fetch("select distinct next_due, sequence from contacts")
    assert rows == [{"next_due": "2030-02-28", "sequence": 2}]
    assert (await door.events()).count("contact.updated") == 60


async def test_b_113_who_is_held_by_others_is_looked_for_again_after_a_pause(door: Door) -> None:
    """Not at once: a look that finds a full batch and moves nobody would be made as fast as the database can answer."""
    await upsert(door, next_due_at="2025-03-15", **EVERY_MONTH)
    tick = advancing(door, batch=1).tick
    async with door.runtime.db.transaction() as tx:
        await tx.execute("select from contacts for update")
        assert await tick() == SOON
    assert await tick() == 0.0
    assert await tick() == EVERY


async def test_b_113_one_contact_that_cannot_move_on_keeps_no_other_back(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await upsert(door, next_due_at="2030-01-30", first_name="bad", **EVERY_MONTH)
    await upsert(door, phone="+447912345679", next_due_at="2030-01-31", **EVERY_MONTH)
    change = upkeep.change_contact

    async def break_one(tx: Any, core: Any, held: Any, moved: Any, **more: Any) -> Any:
        written = await change(tx, core, held, moved, **more)
        if held.first_name == "bad":
            raise RuntimeError("a bug")
        return written

    monkeypatch.setattr(upkeep, "change_contact", break_one)
    now = datetime(2030, 2, 1, tzinfo=UTC)
    await advancing(door).tick(now)
    assert (await contact(door, "+447912345679"))["next_due_at"] == "2030-02-28"
    assert (await contact(door))["next_due_at"] == bad["next_due_at"]
    monkeypatch.setattr(upkeep, "change_contact", change)
    await advancing(door).tick(now)
    assert (await contact(door))["next_due_at"] == bad["next_due_at"]
    await advancing(door).tick(now + LATER)
    assert (await contact(door))["next_due_at"] == "2030-02-28"


async def test_b_113_at_the_end_of_the_calendar_it_recurs_no_more(door: Door) -> None:
    years = {"is_recurrent": True, "recurrent_interval_value": 999, "recurrent_interval_unit": "years"}
    await upsert(door, next_due_at="9500-01-01", **years)
    await advancing(door).tick(datetime(9500, 1, 2, tzinfo=UTC))
    last = await contact(door)
    assert (last["next_due_at"], last["is_recurrent"]) == ("9500-01-01", False)


async def test_b_116_a_date_waits_for_its_campaigns_sends_and_then_plans_the_next(door: Door) -> None:
    status, answer = await door.call(
        "POST",
        "/v1/campaigns",
        {
            "name": "Check-up",
            "type": "recurring",
            "status": "running",
            "body": "Hello {first_name}",
            "offsets": ["P1D"],
        },
    )
    assert status == 201, answer
    campaign = answer["campaign"]["id"]
    made = await upsert(
        door,
        first_name="John",
        marketing_consent=True,
        next_due_at="2030-01-31",
        campaign_ids=[campaign],
        **EVERY_MONTH,
    )
    planned = "select state, scheduled_for::date::text as day from occurrences order by seq"
    assert await door.fetch(planned) == [{"state": "scheduled", "day": "2030-01-30"}]
    now = datetime(2030, 2, 1, tzinfo=UTC)
    await advancing(door).tick(now)
    assert (await contact(door))["next_due_at"] == "2030-01-31", "its send is due and not over"
    await door.execute("update occurrences set state = 'sent', ended_at = now()")
    await advancing(door).tick(now)
    assert (await contact(door))["next_due_at"] == "2030-02-28"
    assert await door.fetch(planned) == [
        {"state": "sent", "day": "2030-01-30"},
        {"state": "scheduled", "day": "2030-02-27"},
    ]
    assert made["id"]
    await advancing(door).tick(now + timedelta(days=40))
    assert (await contact(door))["next_due_at"] == "2030-03-31", "a send that never ends is waited for one day at most"
