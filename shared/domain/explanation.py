"""Why a reminder's next send is when it is, or why one was not sent: every fact with a word and a sentence. Pure.

The order is that of the road: what keeps a claim waiting, what ends a send at its claim, what happens under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking import around_of, until
from shared.domain.circumstances import Circumstances, Send
from shared.domain.draft import Category, draft_of
from shared.domain.endings import NOT_SENT, ending
from shared.domain.occurrence import MAX_FAILURES, Occurrence, State, unsendable
from shared.domain.reminder import Status
from shared.domain.schedule import zone
from shared.domain.wording import Said


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so for a send to go out."""

    code: str
    passed: bool
    sentence: str
    until: datetime | None = None
    """When it passes by itself, where that is known."""


@dataclass(frozen=True, slots=True)
class Explanation:
    verdict: Said
    """What happens if nothing changes, or how it ended."""
    at: datetime | None
    """When that is, where it is known: of an ended one, when it ended."""
    cause: Said | None
    """Why the last send was not made, or the next will not be."""
    expires_at: datetime | None
    """When the next send is too late, if nobody makes it before."""
    checks: tuple[Check, ...]


_NO_WAIT: Final = frozenset({"opt_out", "consent"})
"""Checks that end a send; any other makes it wait."""


def explain(around: Circumstances) -> Explanation:
    """The whole reasoning at one moment."""
    checks = tuple(_checks(around))
    if around.reminder.status is not Status.ACTIVE:
        return _ended(around, checks)
    if around.next is None:
        said = Said("nothing_planned", "It is active, but no send of it is planned.")
        return Explanation(said, None, None, None, checks)
    return _before(around, around.next, checks)


def _checks(around: Circumstances) -> list[Check]:
    return [_configuration(around), *_campaign(around), _opt_out(around), *_consent(around), _provider(around)]


def _configuration(around: Circumstances) -> Check:
    name = f"{around.agent_id}/{around.configuration_id}"
    if around.running:
        return Check("configuration", True, f"The configuration {name} is running.")
    return Check("configuration", False, f"The configuration {name} is paused: what falls due waits.")


def _campaign(around: Circumstances) -> list[Check]:
    campaign = around.campaign
    if campaign is None:
        return []
    running = campaign.status == "running"
    paused = f"Its campaign is {campaign.status}, not running: what falls due waits."
    stale = "The campaign changed and this plan does not fit it any more: it is being made anew."
    return [
        Check("campaign", running, "Its campaign is running." if running else paused),
        Check("plan", not campaign.stale, stale if campaign.stale else "The plan fits its campaign."),
    ]


def _opt_out(around: Circumstances) -> Check:
    if around.suppressed is None:
        return Check("opt_out", True, "Its recipient has not opted out.")
    since, source = around.suppressed.since, around.suppressed.source
    return Check("opt_out", False, f"Its recipient opted out at {_moment(since)}, by {source}.")


def _consent(around: Circumstances) -> list[Check]:
    if around.reminder.category is not Category.MARKETING:
        return [Check("consent", True, "It is transactional: only an opt-out stops it.")]
    agreed = around.agreement
    if agreed is None:
        return [Check("consent", False, "It is marketing, and no contact is left who agreed to it.")]
    said = f", said at {_moment(agreed.at)} by {agreed.source}" if agreed.at else ""
    verb = "agreed" if agreed.granted else "did not agree"
    return [Check("consent", agreed.granted, f"It is marketing, and its contact {verb} to that{said}.")]


def _provider(around: Circumstances) -> Check:
    pause, channel = around.pause, around.reminder.channel
    if pause is None or pause.until <= around.now:
        return Check("provider", True, f"No provider of {channel} rests.")
    why = (
        f"{pause.provider} refused our credentials ({pause.reason.rstrip('.')}) and rests until {_moment(pause.until)}"
    )
    return Check("provider", False, f"{why}; what falls due waits.", until=pause.until)


def _before(around: Circumstances, send: Send, checks: tuple[Check, ...]) -> Explanation:
    expires_at = _expires_at(around, send)
    match send.state:
        case State.SENDING:
            started = f" since {_moment(send.started_at)}" if send.started_at else ""
            said = Said("under_way", f"A call of {send.provider} is under way{started}.")
            return Explanation(said, send.started_at, None, None, checks)
        case State.QUEUED:
            lease = f"; if none begins by {_moment(send.lease_until)} it is claimed anew" if send.lease_until else ""
            said = Said("handed_over", f"It was handed to the dispatchers{lease}.")
            return Explanation(said, around.now, None, expires_at, checks)
        case _:
            return _waiting(around, send, checks, expires_at)


def _waiting(around: Circumstances, send: Send, checks: tuple[Check, ...], expires_at: datetime) -> Explanation:
    failed = [check for check in checks if not check.passed and check.code not in _NO_WAIT]
    at = max(send.due_at, around.now, *(check.until for check in failed if check.until))
    blocked = next((check for check in failed if check.until is None), None)
    doom = _doom(around, send, checks, at)
    if doom is not None and (blocked is None or doom.code in {"opted_out", "no_marketing_consent"}):
        why = doom.sentence.removeprefix(NOT_SENT)
        verdict = Said("will_not_be_sent", f"It will not be sent if nothing changes: {why}")
        return Explanation(verdict, at, doom, expires_at, checks)
    if blocked is not None:
        return _blocked(around, send, checks, blocked, doom)
    if at == send.due_at and at > around.now:
        return Explanation(_planned(around, send), at, None, expires_at, checks)
    if at > around.now:
        reason = next(check.sentence for check in failed if check.until == at)
        return Explanation(Said("waits_provider", f"It waits: {reason}"), at, None, expires_at, checks)
    said = Said("due_now", "It is due and nothing stands in its way: it goes out at the scheduler's next look.")
    return Explanation(said, around.now, None, expires_at, checks)


def _blocked(
    around: Circumstances, send: Send, checks: tuple[Check, ...], blocked: Check, doom: Said | None
) -> Explanation:
    """It waits for somebody; how long it can is its grace, or the time until its event."""
    expires_at = _expires_at(around, send)
    over_at = _until(around, send)
    if over_at is not None and over_at <= around.now:
        end = "By now its event has begun and it will not be sent"
    elif expires_at < around.now:
        end = "By now it is older than its grace and will expire"
    else:
        end = f"After {_here(around, expires_at)} it expires"
    verdict = Said(f"waits_{blocked.code}", f"It waits: {blocked.sentence} {end}.")
    return Explanation(verdict, None, doom, expires_at, checks)


def _planned(around: Circumstances, send: Send) -> Said:
    when = _here(around, send.due_at)
    if send.attempt and send.failures:
        tries = f"{send.failures} of {MAX_FAILURES} attempts failed, the last one because: {send.reason or 'not known'}"
        return Said("will_be_tried_again", f"It will be tried again at {when}; {tries.rstrip('.')}.")
    if send.attempt:
        return Said("will_be_tried_again", f"It will be tried again at {when}: {send.reason or 'its worker was lost'}.")
    return Said("will_be_sent", f"It will be sent at {when} if nothing changes.")


def _until(around: Circumstances, send: Send) -> datetime | None:
    """When its event makes it pointless; None where it has none, or none that this release can read."""
    if around.reminder.schedule_json.get("kind") != "around":
        return None
    try:
        return until(send.kind, around_of(draft_of(around.reminder)))
    except ValueError:
        return None


def _expires_at(around: Circumstances, send: Send) -> datetime:
    by_grace = send.scheduled_for + around.settings.grace.value
    return min(by_grace, _until(around, send) or by_grace)


def _doom(around: Circumstances, send: Send, checks: tuple[Check, ...], at: datetime) -> Said | None:
    """How the rules would end the send at its claim; None where it goes out."""
    failed = {check.code for check in checks if not check.passed}
    barred = "opted_out" if "opt_out" in failed else "no_marketing_consent" if "consent" in failed else None
    step = unsendable(
        Occurrence(
            id=send.id,
            reminder_id=send.reminder_id,
            seq=send.seq,
            kind=send.kind,
            scheduled_for=send.scheduled_for,
            state=send.state,
            attempt=send.attempt,
            failures=send.failures,
            key_epoch=0,
            takes_key=False,
            until=_until(around, send),
        ),
        now=at,
        policy=around.settings.policy,
        later_is_due=around.later_is_due,
        barred=barred,
    )
    return ending(step.state, step.reason, attempt=send.attempt) if step else None


def _ended(around: Circumstances, checks: tuple[Check, ...]) -> Explanation:
    reminder, sent = around.reminder, around.counts.get(State.SENT, 0)
    last = around.last
    cause = ending(last.state, last.reason, attempt=last.attempt) if last and last.state is not State.SENT else None
    at = last.ended_at if last else None
    change = around.last_change
    if change is not None and change.status is reminder.status:
        said = Said(reminder.status.value, f"{change.detail} at {_moment(change.at)}: {_since(around, change.at)}.")
        return Explanation(said, change.at, cause, None, checks)
    unsent = sum(around.counts.get(state, 0) for state in (State.SKIPPED, State.EXPIRED, State.UNCERTAIN))
    if not sent:
        code, sentence = "not_sent", "All its times are over, and nothing was sent."
    elif unsent:
        code, sentence = "sent_in_part", f"All its times are over: {sent} sent, {unsent} not or not for sure."
    else:
        code, sentence = "sent", "All its times are over, and all were sent."
    return Explanation(Said(code, sentence), at, cause, None, checks)


def _since(around: Circumstances, ended_at: datetime) -> str:
    """What was sent after a caller ended it: only a call that was under way cannot be taken back."""
    last_send_at = around.reminder.last_send_at
    if around.next is not None and around.next.state is State.SENDING:
        return "a call that was under way then has not ended, and nothing is sent after it"
    if last_send_at is not None and last_send_at > ended_at:
        return f"what was under way then was sent at {_moment(last_send_at)}, and nothing after it"
    return "nothing was sent after that"


def lateness(send: Send, *, now: datetime) -> timedelta | None:
    """How long after its planned time it was sent, or how long it has been due; None where neither is so."""
    if send.state is State.SENT and send.ended_at is not None:
        return max(send.ended_at - send.scheduled_for, timedelta(0))
    if send.ended_at is None and send.scheduled_for <= now:
        return now - send.scheduled_for
    return None


def _here(around: Circumstances, moment: datetime) -> str:
    time_zone = around.reminder.time_zone
    return f"{moment.astimezone(zone(time_zone)).isoformat(timespec='seconds')} ({time_zone})"


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else "a time that is not known"
