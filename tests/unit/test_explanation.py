"""Every cause of a send, of a wait and of a send that was not made has a word and a sentence of its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from unit.explanation_builders import HOUR, NOON, NOW, POLICY, a_kept_reminder, a_send, circumstances, over

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.circumstances import (
    Agreement,
    CampaignState,
    Layer,
    Pause,
    Source,
    Suppressed,
    settle_settings,
)
from shared.domain.draft import Category
from shared.domain.endings import ending
from shared.domain.explanation import Explanation, explain, lateness
from shared.domain.occurrence import UNFINISHED, State
from shared.domain.parked import CLOSED
from shared.domain.reminder import Action, HistoryEntry, Status

MINUTE = timedelta(minutes=1)
OPTED_OUT = Suppressed(NOW, "api")
MARKETING = a_kept_reminder(category=Category.MARKETING)


def campaign(status: str = "running", *, stale: bool = False) -> CampaignState:
    return CampaignState(UUID(int=9), "Checks", status, stale)


def pause(*, until: timedelta) -> Pause:
    return Pause("twilio", "bad credentials", NOW, NOW + until)


def failed(explanation: Explanation) -> list[str]:
    return [check.code for check in explanation.checks if not check.passed]


def test_what_waits_for_its_time_is_sent_then() -> None:
    found = explain(circumstances())
    assert (found.verdict.code, found.at, found.cause) == ("will_be_sent", NOON, None)
    assert found.verdict.sentence == "It will be sent at 2026-03-02T12:00:00+01:00 (Europe/Berlin) if nothing changes."
    assert found.expires_at == NOON + HOUR
    assert failed(found) == []


WAITS: list[tuple[str, dict[str, Any], str, str]] = [
    ("B-265", {"running": False}, "waits_configuration", "configuration"),
    ("B-098", {"campaign": campaign("paused")}, "waits_campaign", "campaign"),
    ("B-098", {"campaign": campaign(stale=True)}, "waits_plan", "plan"),
]


@pytest.mark.parametrize(("source", "changes", "code", "check"), WAITS)
def test_what_somebody_must_release_waits_until_it_is_too_late(
    source: str, changes: dict[str, Any], code: str, check: str
) -> None:
    found = explain(circumstances(**changes))
    assert (found.verdict.code, found.at, found.cause) == (code, None, None), source
    assert found.verdict.sentence.endswith("After 2026-03-02T13:00:00+01:00 (Europe/Berlin) it expires.")
    assert failed(found) == [check]


def test_b_264_what_waited_too_long_will_expire() -> None:
    found = explain(circumstances(running=False, now=NOON + 2 * HOUR))
    assert (found.verdict.code, found.cause and found.cause.code) == ("waits_configuration", "older_than_grace")
    assert "will expire" in found.verdict.sentence


def test_what_somebody_must_release_would_not_be_sent_to_whom_opted_out() -> None:
    found = explain(circumstances(running=False, suppressed=OPTED_OUT))
    assert (found.verdict.code, found.cause and found.cause.code) == ("will_not_be_sent", "opted_out")


DOOMED: list[tuple[str, dict[str, Any], str]] = [
    ("B-267", {"suppressed": OPTED_OUT}, "opted_out"),
    ("B-268", {"reminder": MARKETING}, "no_marketing_consent"),
    ("B-268", {"reminder": MARKETING, "agreement": Agreement(False, "campaigns", NOW)}, "no_marketing_consent"),
    ("B-061", {"now": NOON + HOUR + MINUTE}, "older_than_grace"),
    (
        "B-264",
        {"now": NOON + 5 * MINUTE, "later_is_due": True, "policy": Policy(HOUR, CatchUp.LATEST, OnUnknown.PARK)},
        "superseded",
    ),
    ("B-264", {"now": NOON + 5 * MINUTE, "policy": Policy(HOUR, CatchUp.NONE, OnUnknown.PARK)}, "missed"),
]


@pytest.mark.parametrize(("source", "changes", "code"), DOOMED)
def test_what_a_rule_will_end_says_which(source: str, changes: dict[str, Any], code: str) -> None:
    found = explain(circumstances(**changes))
    assert (found.verdict.code, found.cause and found.cause.code) == ("will_not_be_sent", code), source
    assert found.verdict.sentence.startswith("It will not be sent if nothing changes: ")
    assert "Not sent" not in found.verdict.sentence


def test_b_268_marketing_goes_to_whom_agreed() -> None:
    agreed = circumstances(reminder=MARKETING, agreement=Agreement(True, "campaigns", NOW))
    assert explain(agreed).verdict.code == "will_be_sent"


def test_a_provider_that_rests_until_after_its_time_keeps_it_waiting_and_no_longer() -> None:
    late = explain(circumstances(pause=pause(until=HOUR + MINUTE)))
    assert (late.verdict.code, late.at) == ("waits_provider", NOON + MINUTE)
    assert "twilio refused our credentials (bad credentials)" in late.verdict.sentence
    early = explain(circumstances(pause=pause(until=MINUTE)))
    assert (early.verdict.code, early.at) == ("will_be_sent", NOON)
    assert failed(explain(circumstances(pause=pause(until=-MINUTE)))) == []


def test_a_provider_that_rests_beyond_the_grace_lets_it_expire() -> None:
    found = explain(circumstances(pause=pause(until=3 * HOUR)))
    assert (found.verdict.code, found.cause and found.cause.code) == ("will_not_be_sent", "older_than_grace")


def test_what_is_due_goes_out_at_the_next_look() -> None:
    found = explain(circumstances(now=NOON + MINUTE))
    assert (found.verdict.code, found.at) == ("due_now", NOON + MINUTE)


def test_b_056_another_try_says_how_many_failed_and_why() -> None:
    retry = a_send(attempt=2, failures=2, due_at=NOON + MINUTE, reason="no route.")
    found = explain(circumstances(next=retry, now=NOON))
    assert (found.verdict.code, found.at) == ("will_be_tried_again", NOON + MINUTE)
    assert found.verdict.sentence.endswith("; 2 of 5 attempts failed, the last one because: no route.")
    lost = a_send(attempt=1, due_at=NOON + MINUTE)
    assert explain(circumstances(next=lost, now=NOON)).verdict.code == "will_be_tried_again"


def test_what_is_under_way_says_where_it_is() -> None:
    queued = a_send(state=State.QUEUED, lease_until=NOON + MINUTE)
    found = explain(circumstances(next=queued, now=NOON))
    assert (found.verdict.code, "2026-03-02T11:01:00Z" in found.verdict.sentence) == ("handed_over", True)
    sending = a_send(state=State.SENDING, started_at=NOON, provider="http", lease_until=NOON + MINUTE)
    found = explain(circumstances(next=sending, now=NOON))
    assert (found.verdict.code, found.at) == ("under_way", NOON)


def test_an_active_one_without_a_send_is_told_of() -> None:
    assert explain(circumstances(next=None)).verdict.code == "nothing_planned"


def test_b_059_what_is_over_says_what_was_sent() -> None:
    sent = a_send(state=State.SENT, ended_at=NOON)
    assert explain(over(Status.COMPLETED, sent)).verdict.code == "sent"
    partly = over(Status.COMPLETED, sent, counts={State.SENT: 2, State.SKIPPED: 1})
    assert explain(partly).verdict.code == "sent_in_part"
    found = explain(over(Status.EXPIRED, a_send(state=State.EXPIRED, reason="older than the grace", ended_at=NOON)))
    assert (found.verdict.code, found.cause and found.cause.code, found.at) == ("not_sent", "older_than_grace", NOON)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.COMPLETED, Status.EXPIRED])
def test_b_041_what_a_caller_ended_says_when(status: Status) -> None:
    change = HistoryEntry(NOW, Action.STATUS_CHANGED, f"Status changed from active to {status}", status)
    stopped = a_send(state=State.CANCELLED, reason=status.value, ended_at=NOW)
    found = explain(over(status, stopped, last_change=change))
    assert (found.verdict.code, found.at) == (status.value, NOW)
    assert found.cause is not None
    assert found.cause.code in {"cancelled", "ended_by_caller"}


def test_a_cancel_that_came_while_it_was_sent_does_not_say_that_nothing_was_b_039() -> None:
    change = HistoryEntry(NOW, Action.STATUS_CHANGED, "Status changed from active to cancelled", Status.CANCELLED)
    under_way = explain(over(Status.CANCELLED, next=a_send(state=State.SENDING), last_change=change))
    assert "a call that was under way then has not ended" in under_way.verdict.sentence
    sent = a_kept_reminder(status=Status.CANCELLED, next_send_at=None, last_send_at=NOW + timedelta(seconds=2))
    late = explain(circumstances(reminder=sent, next=None, counts={State.SENT: 1}, last_change=change))
    assert "was sent at 2026-03-02T10:00:02Z, and nothing after it" in late.verdict.sentence


def test_an_end_after_a_caller_took_it_up_again_is_not_the_callers() -> None:
    change = HistoryEntry(NOW, Action.STATUS_CHANGED, "Status changed from cancelled to active", Status.ACTIVE)
    sent = a_send(state=State.SENT, ended_at=NOON)
    assert explain(over(Status.COMPLETED, sent, last_change=change)).verdict.code == "sent"


ENDINGS = [
    (State.SENT, None, 1, "sent"),
    (State.UNCERTAIN, "no answer", 1, "uncertain"),
    (State.SKIPPED, "opted_out", 0, "opted_out"),
    (State.SKIPPED, "no_marketing_consent", 0, "no_marketing_consent"),
    (State.SKIPPED, "a later send time has come", 0, "superseded"),
    (State.SKIPPED, "missed, and catching up is off", 0, "missed"),
    (State.SKIPPED, "booked after the reminder was due", 0, "booked_late"),
    (State.SKIPPED, "booked after the follow-up was due", 0, "booked_late"),
    (State.SKIPPED, "5 failed attempts: no route", 5, "attempts_failed"),
    (State.SKIPPED, "no retry before the next send time: no route", 1, "no_time_for_retry"),
    (State.SKIPPED, "proved unsent too late: no route", 1, "proved_unsent_too_late"),
    (State.SKIPPED, "not a mobile number", 1, "rejected"),
    (State.SKIPPED, CLOSED, 1, "closed"),
    (State.SKIPPED, "something new", 0, "skipped"),
    (State.EXPIRED, "older than the grace", 0, "older_than_grace"),
    (State.EXPIRED, "something new", 0, "older_than_grace"),
    (State.CANCELLED, "replaced", 0, "replaced"),
    (State.CANCELLED, "rules_changed", 0, "rules_changed"),
    (State.CANCELLED, "cancelled", 0, "cancelled"),
    (State.CANCELLED, "completed", 0, "ended_by_caller"),
    (State.CANCELLED, "no route", 1, "ended_under_way"),
    (State.CANCELLED, None, 0, "cancelled"),
]


@pytest.mark.parametrize(("state", "reason", "attempt", "code"), ENDINGS)
def test_every_end_has_a_word_and_a_sentence(state: State, reason: str | None, attempt: int, code: str) -> None:
    said = ending(state, reason, attempt=attempt)
    assert said is not None
    assert said.code == code
    assert said.sentence.endswith(".")
    assert not said.sentence.endswith("..")


def test_every_word_is_in_the_papers() -> None:
    paper = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    verdicts = {code for _, _, code, _ in WAITS} | {"will_be_sent", "will_be_tried_again", "due_now", "handed_over"}
    verdicts |= {
        "under_way",
        "waits_provider",
        "will_not_be_sent",
        "sent",
        "sent_in_part",
        "not_sent",
        "nothing_planned",
    }
    codes = verdicts | {code for *_, code in ENDINGS} | {status.value for status in Status} - {"active"}
    assert [code for code in sorted(codes) if f"`{code}`" not in paper] == []


def test_the_rules_own_reasons_all_have_a_word_of_their_own() -> None:
    """What a rule writes is never told as something that nobody knows."""
    for reason in ("older than the grace", "a later send time has come", "missed, and catching up is off"):
        said = ending(State.SKIPPED, reason, attempt=0)
        assert said is not None
        assert said.code != "skipped"


@pytest.mark.parametrize("state", sorted(UNFINISHED))
def test_what_has_not_ended_has_no_end(state: State) -> None:
    assert ending(state, "no route", attempt=1) is None


def test_the_nearest_setting_holds_and_says_where_it_is_from() -> None:
    """Decision 1: reminder, then configuration, account, environment."""
    own = Layer(Source.REMINDER, 2 * HOUR, None, None)
    configuration = Layer(Source.CONFIGURATION, 3 * HOUR, CatchUp.NONE, None)
    account = Layer(Source.ACCOUNT, None, CatchUp.ALL, OnUnknown.RETRY)
    found = settle_settings((own, configuration, account), POLICY, a_kept_reminder())
    assert (found.grace.value, found.grace.source) == (2 * HOUR, Source.REMINDER)
    assert (found.catch_up.value, found.catch_up.source) == (CatchUp.NONE, Source.CONFIGURATION)
    assert (found.on_unknown.value, found.on_unknown.source) == (OnUnknown.RETRY, Source.ACCOUNT)


@pytest.mark.parametrize(("kind", "value"), [("times", CatchUp.ALL), ("every", CatchUp.LATEST)])
def test_b_264_without_a_setting_the_kind_of_schedule_decides_what_is_caught_up(kind: str, value: CatchUp) -> None:
    found = settle_settings((), POLICY, a_kept_reminder(schedule_json={"kind": kind}))
    assert (found.catch_up.value, found.catch_up.source, found.policy.catch_up) == (value, Source.SCHEDULE, None)


def test_lateness_is_of_what_was_sent_or_is_due() -> None:
    assert lateness(a_send(), now=NOW) is None
    assert lateness(a_send(), now=NOON + MINUTE) == MINUTE
    assert lateness(a_send(state=State.SENT, ended_at=NOON + MINUTE), now=NOON + HOUR) == MINUTE
    assert lateness(a_send(state=State.EXPIRED, ended_at=NOON + HOUR), now=NOON + HOUR) is None
