"""Why a planned send ended as it did: a stable word and a sentence for each reason that the system writes. Pure."""

from __future__ import annotations

from typing import Final

from shared.domain.occurrence import MAX_FAILURES, UNFINISHED, State
from shared.domain.parked import CLOSED
from shared.domain.wording import Said

NOT_SENT: Final = "Not sent: "
"""How most sentences begin; the rest tells why."""

_EXACT: Final = {
    "opted_out": Said("opted_out", "Not sent: its recipient had opted out."),
    "no_marketing_consent": Said("no_marketing_consent", "Not sent: it is marketing, and its contact did not agree."),
    "older than the grace": Said("older_than_grace", "Not sent: it came up later than its grace allows."),
    "a later send time has come": Said("superseded", "Not sent: a later time of the same reminder had come as well."),
    "missed, and catching up is off": Said("missed", "Not sent: it was missed, and what is missed is not made up for."),
    "booked after the reminder was due": Said("booked_late", "Not sent: it was booked after it would have been due."),
    "booked after the follow-up was due": Said("booked_late", "Not sent: it was booked after it would have been due."),
    "its event has begun": Said("event_begun", "Not sent: the event that it was to remind of had begun."),
    CLOSED: Said("closed", "Closed by a person: nobody knows whether it was sent, and it is not repeated."),
    "replaced": Said("replaced", "Not sent: other times took its place."),
    "rules_changed": Said("rules_changed", "Moved: the rules of its time zone changed, and another took its place."),
    "cancelled": Said("cancelled", "Not sent: its reminder was cancelled first."),
    "completed": Said("ended_by_caller", "Not sent: its reminder was set to completed first."),
    "expired": Said("ended_by_caller", "Not sent: its reminder was set to expired first."),
}
_BEGINNINGS: Final = (
    (f"{MAX_FAILURES} failed attempts: ", "attempts_failed", f"Not sent: {MAX_FAILURES} attempts failed"),
    ("no retry before the next send time: ", "no_time_for_retry", "Not sent: no try fits before the next time"),
    ("no retry before its event: ", "no_time_for_retry", "Not sent: no try fits before its event"),
    ("proved unsent too late: ", "proved_unsent_too_late", "Not sent: that became known too late to try again"),
)


def ending(state: State, reason: str | None, *, attempt: int) -> Said | None:
    """How a planned send ended; None while it has not. `attempt`: provider calls that were made for it."""
    if state in UNFINISHED:
        return None
    if state is State.SENT:
        return Said("sent", "The provider accepted it.")
    if state is State.UNCERTAIN:
        return Said("uncertain", f"It may have been sent or not; it is parked and not repeated{_last(reason)}.")
    text = reason or ""
    if text in _EXACT:
        return _EXACT[text]
    for beginning, code, sentence in _BEGINNINGS:
        if text.startswith(beginning):
            return Said(code, f"{sentence}{_last(text.removeprefix(beginning))}.")
    return _other(state, text, attempt)


def _other(state: State, reason: str, attempt: int) -> Said:
    match state:
        case State.EXPIRED:
            return Said("older_than_grace", f"Not sent: it came too late{_last(reason)}.")
        case State.CANCELLED if attempt:
            return Said(
                "ended_under_way", f"Not sent: an attempt failed, and nothing was to be sent by then{_last(reason)}."
            )
        case State.CANCELLED:
            return Said("cancelled", f"Not sent: it was taken back{_last(reason)}.")
        case _ if attempt:
            return Said("rejected", f"Not sent: the provider refused it for good{_last(reason)}.")
        case _:
            return Said("skipped", f"Not sent: it was left out{_last(reason)}.")


def _last(reason: str | None) -> str:
    """What a provider answered, or what else is known, at the end of a sentence."""
    return f": {reason.rstrip('.')}" if reason else ""
