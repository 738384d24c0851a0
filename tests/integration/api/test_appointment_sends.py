"""From the appointments door to the sandbox: what a person receives, and what not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from services.dispatcher.dispatcher import Dispatcher
from services.dispatcher.recorder import Recorder
from services.dispatcher.routing import open_providers
from services.dispatcher.run import SandboxTable
from services.scheduler.scheduler import Scheduler
from shared.bus.bus import SEND_DUE
from shared.domain.outcome import Failed
from shared.runtime.ledger import Answer
from shared.store.occurrences import Begun
from tests.integration.api.appointment_tools import Practice, at, open_practice
from tests.integration.api.conftest import Door


class Post:
    """A scheduler and a dispatcher beside the API, driven by hand."""

    def __init__(self, practice: Practice, dispatcher: Dispatcher, recorder: Recorder) -> None:
        self.practice, self.dispatcher, self.recorder = practice, dispatcher, recorder
        self.runtime = practice.door.runtime
        self.scheduler = Scheduler(self.runtime)

    async def texts(self) -> list[str]:
        """All that was received until now, after what is due has been sent."""
        await self.runtime.bus.consume(SEND_DUE, self.dispatcher.handle)
        await self.scheduler.tick()
        await self.runtime.bus.stop_consuming(drain=20)
        await self.dispatcher.drain(20)
        rows = await self.practice.door.fetch("select text from sandbox_messages order by received_at, key")
        return [row["text"] for row in rows]

    async def begin(self) -> Begun:
        """Claim and begin the one send that is due; the test makes up its answer."""
        await self.scheduler.tick()
        rows = await self.practice.door.fetch("select id, version from occurrences where state = 'queued'")
        (begun,), _ = await self.dispatcher.begin([(row["id"], row["version"]) for row in rows])
        return begun

    async def status(self, uuid: str) -> str:
        status: str = (await self.practice.door.call("GET", f"/events/reminders/{uuid}"))[1]["status"]
        return status


@pytest.fixture
async def post(door: Door) -> AsyncIterator[Post]:
    runtime = door.runtime
    providers = open_providers(runtime.settings.providers(), SandboxTable(runtime.db), call_timeout=1.0)
    recorder = Recorder(runtime)
    recording = asyncio.create_task(recorder.run())
    yield Post(await open_practice(door), Dispatcher(runtime, providers, recorder), recorder)
    await recorder.finish(recording)
    await providers.close()


async def test_the_reminder_then_the_follow_up_b_221_b_225(post: Post) -> None:
    uuid = await post.practice.booked()
    assert await post.texts() == []
    await post.practice.travel(uuid, hours=47)
    assert await post.texts() == ["See you in New York!"]
    assert await post.status(uuid) == "active"
    await post.practice.travel(uuid, hours=3)
    assert await post.texts() == ["See you in New York!", "How was New York?"]
    assert await post.status(uuid) == "completed"
    assert (await post.practice.door.events())[-1] == "reminder.completed"


async def test_or_who_missed_it_is_told_so_instead_b_226_b_244_b_245(post: Post) -> None:
    uuid = await post.practice.booked()
    await post.practice.travel(uuid, hours=47)
    await post.texts()
    await post.practice.travel(uuid, hours=1, minutes=1)
    for _ in range(2):
        await post.practice.no_show(uuid)
        assert await post.texts() == ["See you in New York!", "We missed you in New York."]
    assert await post.status(uuid) == "completed"
    await post.practice.travel(uuid, hours=2)
    assert len(await post.texts()) == 2


async def test_a_no_show_is_told_where_nothing_else_was_b_244(post: Post) -> None:
    """B-234: the appointment was booked after it was over."""
    uuid = await post.practice.booked(eventDateTime="2021-01-06T16:50:00")
    assert (await post.texts(), await post.status(uuid)) == ([], "expired")
    await post.practice.no_show(uuid)
    assert (await post.texts(), await post.status(uuid)) == (["We missed you in New York."], "completed")


async def test_the_old_time_never_fires_b_238_b_239(post: Post) -> None:
    uuid = await post.practice.booked(followUpTimeOffset=...)
    await post.practice.change(uuid, eventDateTime=at(days=3))
    await post.practice.travel(uuid, hours=47, minutes=1)
    assert await post.texts() == []
    await post.practice.travel(uuid, hours=24)
    assert len(await post.texts()) == 1
    await post.practice.change(uuid, eventDateTime=at(days=3))
    assert len(await post.texts()) == 1
    await post.practice.travel(uuid, hours=71, minutes=1)
    assert await post.texts() == ["See you in New York!"] * 2


@pytest.mark.parametrize("flag", [True, False])
async def test_who_opted_out_since_is_sent_nothing_b_229_b_267(post: Post, *, flag: bool) -> None:
    uuid = await post.practice.booked(sendEligibleSubscribersOnly=flag)
    await post.practice.door.execute(
        "insert into suppressions (account_id, address, source, created_at) "
        "select id, '+16175550100', 'test', now() from accounts"
    )
    await post.practice.travel(uuid, hours=47)
    assert await post.texts() == []
    assert await post.practice.sends(uuid) == [("main", "skipped"), ("follow_up", "scheduled")]


async def test_who_may_be_written_to_again_by_then_is_b_229(post: Post) -> None:
    await post.practice.door.execute(
        "insert into suppressions (account_id, address, source, created_at) "
        "select id, '+16175550100', 'test', now() from accounts"
    )
    uuid = await post.practice.booked()
    await post.practice.door.execute("delete from suppressions")
    await post.practice.travel(uuid, hours=47)
    assert await post.texts() == ["See you in New York!"]


async def test_the_new_phone_gets_what_waits_b_241(post: Post) -> None:
    uuid = await post.practice.booked()
    await post.practice.change(uuid, phone="617-555-0101")
    await post.practice.travel(uuid, hours=47)
    await post.texts()
    rows = await post.practice.door.fetch("select address from sandbox_messages")
    assert rows == [{"address": "+16175550101"}]


@pytest.mark.parametrize("when", ["waits", "under way"])
@pytest.mark.parametrize("changed", ["appointment", "contact"])
async def test_the_new_phone_gets_a_try_under_a_key_of_its_own_b_241_b_262(post: Post, when: str, changed: str) -> None:
    """A gateway that took the try for the old phone would answer the old key with that, and send nothing more."""
    practice = post.practice
    uuid = await practice.booked()
    await practice.travel(uuid, hours=47)
    begun, lost = await post.begin(), Failed("the answer was lost", ambiguous=True)
    if when == "waits":
        await post.recorder.record(Answer(begun, lost))
    if changed == "appointment":
        assert (await practice.change(uuid, phone="617-555-0101"))[0] == 200
    else:
        (row,) = await practice.door.fetch("select number from contacts")
        answer = await practice.door.call("PUT", f"/api/contacts/{row['number']}", {"phone": "+16175550101"})
        assert answer[0] == 200, answer
    if when == "under way":
        await post.recorder.record(Answer(begun, lost))
    await practice.door.execute("update occurrences set due_at = clock_timestamp() where state = 'scheduled'")
    again = await post.begin()
    assert (begun.address, again.address) == ("+16175550100", "+16175550101")
    assert (begun.attempt, again.attempt) == (1, 2)
    assert again.key_epoch == 1 > begun.key_epoch


async def test_booking_and_calling_off_are_told_where_such_messages_are_registered(post: Post) -> None:
    """C-23."""
    await post.practice.message("CONFIRMATION", "Booked: {eventLocation}.")
    await post.practice.message("CANCELLATION", "Off: {eventLocation}.")
    uuid = await post.practice.booked()
    await post.practice.booked()
    assert await post.texts() == ["Booked: New York."]
    for _ in range(2):
        await post.practice.cancel(uuid)
    assert await post.texts() == ["Booked: New York.", "Off: New York."]
    await post.practice.travel(uuid, hours=50)
    assert len(await post.texts()) == 2


async def test_a_booking_that_was_called_off_is_confirmed_to_nobody_b_227_b_243(post: Post) -> None:
    """C-23: its confirmation waited, as it does for a paused configuration or a provider that rests."""
    practice, configuration = post.practice, "/api/reminder/configuration/default/default"
    await practice.message("CONFIRMATION", "Booked: {eventLocation}.")
    await practice.message("CANCELLATION", "Off: {eventLocation}.")
    await practice.door.call("POST", f"{configuration}/pause")
    uuid, other = await practice.booked(), await practice.booked(externalEventId="another")
    _, answer = await practice.cancel(uuid)
    assert answer["cancelOutcome"] == "prevented"
    await practice.door.call("POST", f"{configuration}/resume")
    assert sorted(await post.texts()) == ["Booked: New York.", "Off: New York."]
    assert await post.status(other) == "active"
    rows = await practice.door.fetch("select status from reminders where details ->> 'about' = $1 order by id", uuid)
    assert [row["status"] for row in rows] == ["cancelled", "completed"]


async def test_a_cancel_that_comes_while_it_is_sent_says_so_b_243(post: Post) -> None:
    uuid = await post.practice.booked()
    await post.practice.travel(uuid, hours=47)
    await post.begin()
    _, answer = await post.practice.cancel(uuid)
    assert answer["cancelOutcome"] == "in_flight"


@pytest.mark.parametrize("what", ["missed", "moved", "left alone"])
async def test_a_follow_up_under_way_is_not_tried_again_once_it_is_wrong_b_226(post: Post, what: str) -> None:
    """B-238: what is under way ends by itself; a failure of it is final where a no-show or another time came."""
    uuid = await post.practice.booked()
    await post.practice.sent(uuid)
    await post.practice.travel(uuid, hours=50)
    begun = await post.begin()
    wanted: dict[str, Any] = {
        "missed": [("main", "sent"), ("follow_up", "skipped"), ("no_show", "scheduled")],
        "moved": [("main", "sent"), ("follow_up", "cancelled"), ("main", "scheduled"), ("follow_up", "scheduled")],
        "left alone": [("main", "sent"), ("follow_up", "scheduled")],
    }
    if what == "missed":
        await post.practice.no_show(uuid)
    if what == "moved":
        await post.practice.change(uuid, eventDateTime=at(days=5))
    await post.recorder.record(Answer(begun, Failed("no connection")))
    assert await post.practice.sends(uuid) == wanted[what]
    assert await post.status(uuid) == "active"
    if what == "missed":
        assert await post.texts() == ["We missed you in New York."]
        assert await post.status(uuid) == "completed"


async def test_nor_is_one_whose_worker_was_lost_b_226(post: Post) -> None:
    uuid = await post.practice.booked()
    await post.practice.sent(uuid)
    await post.practice.travel(uuid, hours=50)
    await post.begin()
    await post.practice.no_show(uuid)
    await post.practice.door.execute("update occurrences set lease_until = clock_timestamp() where state = 'sending'")
    await post.scheduler.rescue()
    assert await post.texts() == ["We missed you in New York."]
    assert await post.practice.sends(uuid) == [("main", "sent"), ("follow_up", "cancelled"), ("no_show", "sent")]


async def test_history_tells_of_the_no_show_b_244(post: Post) -> None:
    uuid = await post.practice.booked(eventDateTime="2021-01-06T16:50:00")
    await post.practice.no_show(uuid)
    await post.texts()
    rows = await post.practice.door.fetch("select action, detail from history where reminder_id = $1", UUID(uuid))
    assert {"Reported as missed"} <= {row["detail"] for row in rows}
    assert rows[-1]["action"] == "Sent"


async def test_no_reminder_goes_out_once_its_appointment_has_begun_b_221_b_264(post: Post) -> None:
    """What a pause kept is within its grace, and says nothing any more; the follow-up does."""
    practice = post.practice
    uuid = await practice.booked(remindTimeOffset="PT15M")
    await practice.door.call("POST", "/api/reminder/configuration/default/default/pause")
    await practice.travel(uuid, hours=48, minutes=10)
    assert await post.texts() == []
    (_, told) = await practice.door.call("GET", f"/v1/reminders/{uuid}/explain")
    assert told["explanation"]["cause"]["code"] == "event_begun"
    await practice.door.call("POST", "/api/reminder/configuration/default/default/resume")
    assert await post.texts() == []
    assert await practice.sends(uuid) == [("main", "skipped"), ("follow_up", "scheduled")]
    (_, told) = await practice.door.call("GET", f"/v1/reminders/{uuid}/explain")
    assert told["occurrences"][0]["ending"]["code"] == "event_begun"


async def test_nor_is_it_tried_again_after_that_b_058_b_221(post: Post) -> None:
    practice = post.practice
    uuid = await practice.booked(remindTimeOffset="PT15M", followUpTimeOffset=...)
    await practice.travel(uuid, hours=47, minutes=59, seconds=50)
    begun = await post.begin()
    await post.recorder.record(Answer(begun, Failed("refused the connection")))
    assert await practice.sends(uuid) == [("main", "skipped")]
    assert await post.status(uuid) == "expired"
