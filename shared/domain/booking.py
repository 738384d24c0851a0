"""An appointment's reminder beyond its times: its type, its messages and their texts, and what a change plans anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from shared.domain.account import LateBooking
from shared.domain.appointment import Around
from shared.domain.draft import Draft
from shared.domain.metadata import MissingValue, Scalar, fill
from shared.domain.occurrence import Kind, State
from shared.domain.plan import Place, Planned
from shared.domain.refusal import Invalid, Problem

DEFAULT_REMINDER: Final = "PT3H"
"""How long before its event an appointment is reminded of, where nothing is said (B-219)."""

MOST_TEXT: Final = 1_600
"""Characters of a message, before and after its macros are filled."""


class MessageType(StrEnum):
    """What an appointment's message is for (C-21)."""

    CONFIRMATION = "CONFIRMATION"
    CANCELLATION = "CANCELLATION"
    REMINDER = "REMINDER"
    NO_SHOW = "NO_SHOW"
    FOLLOW_UP = "FOLLOW_UP"


@dataclass(frozen=True, slots=True)
class AppointmentType:
    """What appointments are of, and what their messages belong to (C-20)."""

    id: UUID
    type: str


@dataclass(frozen=True, slots=True)
class AppointmentMessage:
    """One text of an appointment type (C-21)."""

    type_id: UUID
    message_type: MessageType
    text: str
    """With macros."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What only an appointment has: kept as the `details` of its reminder, without what was not given."""

    event_type: str
    """The id of its type, as the caller wrote it."""
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    """Any text: nothing is sent there."""
    metadata: Mapping[str, Scalar] | None = None
    """The values of the macros."""
    eligible_only: bool | None = None
    """B-228."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def type_id(self) -> UUID | None:
        """The id, or None where the text is none: then it is nobody's."""
        try:
            return UUID(self.event_type) if len(self.event_type) == 36 else None
        except ValueError:
            return None

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        return cls(**{field.name: details[field.name] for field in fields(cls) if field.name in details})


_MADE: Final = frozenset({State.SENDING, State.SENT, State.UNCERTAIN})

_KINDS: Final = {
    MessageType.REMINDER: Kind.MAIN,
    MessageType.FOLLOW_UP: Kind.FOLLOW_UP,
    MessageType.NO_SHOW: Kind.NO_SHOW,
}

Messages = Mapping[MessageType, str]
"""The texts of one appointment type, with macros."""


def text_of(kind: MessageType, messages: Messages, values: Mapping[str, Scalar] | None) -> str:
    """The message of that kind, ready to send. Raises `Invalid` where it is not registered or lacks a value."""
    if kind not in messages:
        raise Invalid([Problem("event_type", f"its type has no {kind} message", "missing_message")])
    try:
        text = fill(messages[kind], values or {})
    except MissingValue as missing:
        why = f"is needed by the {kind} message"
        raise Invalid([Problem(f"metadata.{name}", why, "missing_macro_value") for name in missing.names]) from None
    if len(text) > MOST_TEXT:
        raise Invalid([Problem("metadata", f"makes the {kind} message longer than {MOST_TEXT} characters", "too_long")])
    return text


def texts_of(around: Around, messages: Messages, values: Mapping[str, Scalar] | None) -> dict[MessageType, str]:
    """All that may have to be sent of an appointment, ready to send: the reminder, the follow-up where one is asked
    for, and what else is registered. Raises `Invalid` with every problem (C-22, B-252).
    """
    needed = {MessageType.REMINDER, *messages, MessageType.FOLLOW_UP}
    if around.follow_up_after is None:
        needed.remove(MessageType.FOLLOW_UP)
    texts: dict[MessageType, str] = {}
    problems: dict[str, Problem] = {}
    for kind in (kind for kind in MessageType if kind in needed):
        try:
            texts[kind] = text_of(kind, messages, values)
        except Invalid as invalid:
            problems |= {f"{p.field} {p.code} {p.reason}": p for p in invalid.problems}
    if problems:
        raise Invalid(list(problems.values()))
    return texts


def by_kind(texts: Mapping[MessageType, str]) -> dict[Kind, str]:
    """The texts of an appointment's planned sends."""
    return {_KINDS[kind]: text for kind, text in texts.items() if kind in _KINDS}


def around_of(draft: Draft) -> Around:
    """An appointment's schedule."""
    if not isinstance(draft.schedule, Around):
        raise TypeError("an appointment is reminded of around its event")
    return draft.schedule


def missed(places: Sequence[Place], around: Around) -> Place | None:
    """The send that says the appointment was missed, where that was reported since the event."""
    told = (place for place in places if place.kind is Kind.NO_SHOW and place.state is not State.CANCELLED)
    return next((place for place in told if place.scheduled_for >= around.event_at), None)


def until(kind: Kind, around: Around) -> datetime | None:
    """When a send of an appointment has nothing to say any more: a reminder, once its event has begun."""
    return around.event_at if kind is Kind.MAIN else None


def outdated(kind: Kind, planned_for: datetime, around: Around, *, missed: bool) -> bool:
    """Whether a send that was under way while its appointment changed is none of it any more, and not tried again.

    `missed`: a no-show was reported after it was planned. A reminder of a late booking goes out after its time.
    """
    match kind:
        case Kind.MAIN:
            return missed or not around.remind_at <= planned_for < around.event_at
        case Kind.FOLLOW_UP:
            return missed or planned_for != around.follow_up_at
        case Kind.NO_SHOW:
            return planned_for < around.event_at


def replanned(
    places: Sequence[Place], *, before: Around, draft: Draft, now: datetime, late_booking: LateBooking
) -> tuple[Planned, ...]:
    """What is to be sent of a changed appointment, in place of what waits, ascending.

    A time that did not change keeps its send, however late it is; a new one is planned like a new appointment's, also
    after the reminder for the old one was sent (B-238, B-239). Once a no-show was reported nothing but its message is
    left (B-226), unless the event was moved past it.
    """
    after = around_of(draft)
    if missed(places, after) is not None:
        return _waiting(places, draft, Kind.NO_SHOW)
    planned = draft.planned(now=now, late_booking=late_booking)
    same = {
        Kind.MAIN: (before.event_at, before.remind_at) == (after.event_at, after.remind_at),
        Kind.FOLLOW_UP: before.follow_up_at == after.follow_up_at,
    }
    wanted: list[Planned] = []
    for kind, unchanged in same.items():
        has_one = any(place.kind is kind and place.state is not State.CANCELLED for place in places)
        if kind is Kind.MAIN and _reminded(places, after):
            continue
        wanted += _waiting(places, draft, kind) if unchanged and has_one else [p for p in planned if p.kind is kind]
    return tuple(sorted(wanted, key=lambda one: one.at))


def _reminded(places: Sequence[Place], around: Around) -> bool:
    """Whether a reminder went out, or may have, in the time in which one of this event does."""
    made = (place for place in places if place.kind is Kind.MAIN and place.state in _MADE)
    return any(around.remind_at <= place.scheduled_for < around.event_at for place in made)


def _waiting(places: Sequence[Place], draft: Draft, kind: Kind) -> tuple[Planned, ...]:
    found = (place for place in places if place.kind is kind and place.stoppable)
    return tuple(Planned(place.scheduled_for, kind, draft.texts.get(kind)) for place in found)
