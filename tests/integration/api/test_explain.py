"""Why a reminder goes out when it does, or why it did not."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from builders import in_future
from integration.api.conftest import Door
from integration.api.explain_tools import NUMBER, end, explain, lives, remind, verdict


async def test_why_the_next_send_is_when_it_is(door: Door) -> None:
    """B-026, B-027, B-270: the wall clock as written, the zone, its offset then, the rule and the rules' release."""
    id = await remind(door, timezone="Europe/Berlin", sendTimes=["2030-10-27T02:30:00", "2030-11-01T09:00:00"])
    answer = await explain(door, id)
    reasons, send = answer["explanation"], answer["explanation"]["next_send"]
    assert reasons["verdict"] == {
        "code": "will_be_sent",
        "sentence": "It will be sent at 2030-10-27T02:30:00+02:00 (Europe/Berlin) if nothing changes.",
    }
    assert (send["scheduled_for"], send["local_time"]) == ("2030-10-27T00:30:00Z", "2030-10-27T02:30:00")
    assert send["utc_offset"] == "+02:00"
    assert send["intent"]["written"] == "2030-10-27T02:30:00"
    assert send["intent"]["clock"] == "overlap"
    assert send["intent"]["sentence"].endswith("the first one is meant.")
    clock = reasons["clock"]
    assert clock["dst"] == {"gap": "forward", "overlap": "first"}
    assert (clock["time_zone"], clock["planned_with"]) == ("Europe/Berlin", clock["rules"])
    assert reasons["settings"] == {
        "grace": {"seconds": 3600.0, "source": "environment"},
        "catch_up": {"value": "all", "source": "schedule"},
        "on_unknown": {"value": "park", "source": "environment"},
    }
    assert reasons["expires_at"] == "2030-10-27T01:30:00Z"
    assert all(check["passed"] for check in reasons["checks"])
    assert [one["intent"]["clock"] for one in answer["occurrences"]] == ["overlap", "plain"]
    assert (answer["reminder"]["external_id"], answer["reminder"]["door"]) == ("r-1", "integration")


async def test_an_offset_that_was_written_wins_and_says_so(door: Door) -> None:
    """B-025."""
    id = await remind(door, timezone="Europe/Berlin", sendTimes=["2030-10-27T02:30:00+07:00"])
    intent = (await explain(door, id))["explanation"]["next_send"]["intent"]
    assert intent["clock"] == "offset"


async def test_settings_say_where_they_come_from(door: Door) -> None:
    id = await remind(door)
    await door.execute("update accounts set grace = interval '5 hours', on_unknown = 'retry'")
    await door.execute("update configurations set grace = interval '2 hours', catch_up = 'none'")
    await door.execute("update reminders set grace = interval '1 minute'")
    settings = (await explain(door, id))["explanation"]["settings"]
    assert settings["grace"] == {"seconds": 60.0, "source": "reminder"}
    assert settings["catch_up"] == {"value": "none", "source": "configuration"}
    assert settings["on_unknown"] == {"value": "retry", "source": "account"}


async def test_b_265_it_waits_while_its_configuration_is_paused(door: Door) -> None:
    id = await remind(door)
    await door.execute("update configurations set state = 'paused'")
    assert await verdict(door, id) == "waits_configuration"


async def test_b_267_it_says_since_when_its_recipient_has_opted_out(door: Door) -> None:
    id = await remind(door)
    await door.execute(
        "insert into suppressions (account_id, address, source, created_at) values ($1, $2, 'api', now())",
        door.account.account_id,
        NUMBER,
    )
    reasons = (await explain(door, id))["explanation"]
    assert (reasons["verdict"]["code"], reasons["cause"]["code"]) == ("will_not_be_sent", "opted_out")
    (check,) = [check for check in reasons["checks"] if not check["passed"]]
    assert check["code"] == "opt_out"
    assert "by api" in check["sentence"]


async def test_b_268_marketing_needs_consent_and_says_what_was_said(door: Door) -> None:
    id, contact = await remind(door), uuid4()
    await door.execute(
        """insert into contacts (id, account_id, phone, marketing_consent, created_at, updated_at)
           values ($1, $2, $3, false, now(), now())""",
        contact,
        door.account.account_id,
        NUMBER,
    )
    await door.execute(
        """insert into consents (account_id, contact_id, category, granted, source, at)
           values ($1, $2, 'marketing', false, 'campaigns', '2026-01-02T03:04:05Z')""",
        door.account.account_id,
        contact,
    )
    await door.execute("update reminders set category = 'marketing', contact_id = $1", contact)
    reasons = (await explain(door, id))["explanation"]
    assert reasons["cause"]["code"] == "no_marketing_consent"
    (check,) = [check for check in reasons["checks"] if check["code"] == "consent"]
    assert "2026-01-02T03:04:05Z by campaigns" in check["sentence"]


async def test_a_provider_that_rests_is_named_with_its_end(door: Door) -> None:
    id = await remind(door, sendTimes=[in_future(minutes=-5)])
    await door.execute(
        """insert into provider_pauses (account_id, channel, provider, reason, since, until)
           values ($1, 'sms', 'twilio', 'bad credentials', now(), now() + interval '30 seconds')""",
        door.account.account_id,
    )
    reasons = (await explain(door, id))["explanation"]
    assert reasons["verdict"]["code"] == "waits_provider"
    assert reasons["at"] == next(check["until"] for check in reasons["checks"] if check["code"] == "provider")


@pytest.mark.parametrize(
    ("column", "code"), [("status", "waits_campaign"), ("stale", "waits_plan"), ("plan", "waits_plan")]
)
async def test_a_campaign_that_does_not_run_or_whose_plan_is_stale_keeps_it_waiting(
    door: Door, column: str, code: str
) -> None:
    id, contact, campaign, enrollment = await remind(door), uuid4(), uuid4(), uuid4()
    account = door.account.account_id
    await door.execute(
        "insert into contacts (id, account_id, created_at, updated_at) values ($1, $2, now(), now())", contact, account
    )
    await door.execute(
        """insert into campaigns (id, account_id, name, type, status, body, plan, created_at, updated_at)
           values ($1, $2, 'Checks', 'recurring', $3, 'Hello', $4, now(), now())""",
        campaign,
        account,
        "paused" if column == "status" else "running",
        int(column == "plan"),
    )
    await door.execute(
        """insert into enrollments (id, account_id, campaign_id, contact_id, stale, created_at)
           values ($1, $2, $3, $4, $5, now())""",
        enrollment,
        account,
        campaign,
        contact,
        column == "stale",
    )
    await door.execute("update reminders set enrollment_id = $1", enrollment)
    assert await verdict(door, id) == code


async def test_a_retry_says_what_failed_and_every_call_is_listed(door: Door) -> None:
    id = await remind(door, sendTimes=[in_future(minutes=-5)])
    await door.execute(
        "update occurrences set attempt = 1, failures = 1, due_at = now() + interval '1 minute', reason = 'no route'"
    )
    await door.execute(
        """insert into attempts (id, occurrence_id, account_id, number, provider, started_at, ended_at, outcome, reason)
           select $1, id, account_id, 1, 'http', now(), now(), 'failed', 'no route' from occurrences""",
        uuid4(),
    )
    answer = await explain(door, id)
    assert answer["explanation"]["verdict"]["code"] == "will_be_tried_again"
    assert "1 of 5 attempts failed" in answer["explanation"]["verdict"]["sentence"]
    (occurrence,) = answer["occurrences"]
    assert [(a["number"], a["outcome"], a["reason"]) for a in occurrence["attempts"]] == [(1, "failed", "no route")]
    assert occurrence["lateness_seconds"] > 299


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        ("skipped", "closed by hand: nobody knows whether it was sent", "closed"),
        ("skipped", "opted_out", "opted_out"),
        ("skipped", "no_marketing_consent", "no_marketing_consent"),
        ("skipped", "5 failed attempts: no route", "attempts_failed"),
        ("expired", "older than the grace", "older_than_grace"),
        ("uncertain", "no answer", "uncertain"),
    ],
)
async def test_b_059_of_one_that_was_not_sent_it_says_why(door: Door, state: str, reason: str, code: str) -> None:
    id = await remind(door)
    await end(door, id, state, reason)
    answer = await explain(door, id)
    assert answer["explanation"]["verdict"]["code"] == "not_sent"
    assert answer["explanation"]["cause"]["code"] == code
    assert answer["explanation"]["next_send"] is None
    assert answer["occurrences"][0]["ending"]["code"] == code


async def test_what_a_provider_reported_since_is_told(door: Door) -> None:
    id = await remind(door)
    await end(door, id, "sent", None, status="completed")
    await door.execute("update occurrences set receipt = 'undelivered', receipt_at = '2026-01-02T03:04:05Z'")
    (occurrence,) = (await explain(door, id))["occurrences"]
    assert (occurrence["receipt"], occurrence["receipt_at"]) == ("undelivered", "2026-01-02T03:04:05Z")


async def test_b_039_of_a_cancelled_one_it_says_when(door: Door) -> None:
    id = await remind(door)
    await door.reminder("PUT", "r-1", {"status": "cancelled"})
    answer = await explain(door, id)
    assert answer["explanation"]["verdict"]["code"] == "cancelled"
    assert answer["explanation"]["cause"]["code"] == "cancelled"
    assert answer["reminder"]["counts"] == {"cancelled": 1}


async def test_a_thousand_times_are_told_page_by_page_within_the_deadline(door: Door) -> None:
    """B-028."""
    times = [in_future(hours=hour) for hour in range(1, 1_001)]
    id = await remind(door, sendTimes=times)
    started = time.monotonic()
    answer = await explain(door, id, "?occurrences_limit=9999&occurrences_offset=990")
    assert time.monotonic() - started < 2
    assert (len(answer["occurrences"]), answer["total"], answer["limit"]) == (10, 1_000, 500)
    assert answer["occurrences"][-1]["seq"] == 1_000
    first = await explain(door, id)
    assert [one["seq"] for one in first["occurrences"]] == list(range(1, 51))
    near = (await lives(door, "external_id=r-1&occurrences_limit=3"))["reminders"][0]
    assert [one["seq"] for one in near["occurrences"]] == [1, 2, 3]


async def test_nothing_of_another_account_is_explained_or_found(door: Door) -> None:
    id = await remind(door)
    other = (await door.another_account()).api_key
    for path in (f"/v1/reminders/{id}/explain", f"/v1/reminders/{uuid4()}/explain", "/v1/reminders/nobody/explain"):
        status, answer = await door.call("GET", path, key=other)
        assert (status, answer["error"]["code"]) == (404, "REMINDER_NOT_FOUND")
    for query in ("", f"phone=%2B{NUMBER[1:]}", "external_id=r-1", "door=integration"):
        status, answer = await door.call("GET", f"/v1/reminders?{query}", key=other)
        assert (status, answer["total"], answer["reminders"]) == (200, 0, [])


async def test_what_rules_of_another_release_cannot_read_is_explained_all_the_same(door: Door) -> None:
    id = await remind(door)
    await door.execute("update reminders set schedule = '{}'")
    answer = await explain(door, id)
    assert answer["explanation"]["schedule"]["code"] == "unreadable"
    assert answer["explanation"]["next_send"]["intent"] is None


async def test_b_270_a_send_that_new_rules_moved_is_told_of(door: Door) -> None:
    from services.api.rereading import Rereading  # noqa: PLC0415 - of this test alone

    id = await remind(door, timezone="Europe/Berlin", sendTimes=["2030-07-01T09:00:00"])
    await door.execute("update reminders set tzdata_version = '2020.1'")
    await door.execute(
        "update occurrences set scheduled_for = scheduled_for + $1, due_at = due_at + $1", timedelta(hours=1)
    )
    assert (await explain(door, id))["explanation"]["clock"]["planned_with"] == "2020.1"
    await Rereading(door.runtime).tick()
    answer = await explain(door, id)
    assert [one["ending"] and one["ending"]["code"] for one in answer["occurrences"]] == ["rules_changed", None]
    assert answer["explanation"]["next_send"]["scheduled_for"] == "2030-07-01T07:00:00Z"
