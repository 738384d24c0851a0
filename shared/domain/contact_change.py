"""What a caller says of a contact, and what that makes of the one that is known. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from shared.domain.contact import Contact, Due, Interval, IntervalUnit
from shared.domain.due import derived, read_due, settled, zone_of
from shared.domain.refusal import Invalid, Problem
from shared.domain.schedule import BadTime

MOST_CUSTOM: Final = 64_000
"""Characters of a contact's custom fields, as JSON."""

_DATES: Final = {"next_due": "next_due_at", "last_service": "last_service_at"}
"""What is a date, by its field here, with the caller's name for it."""


@dataclass(frozen=True, slots=True)
class ContactGiven:
    """What is not in `fields` stays as it is (B-107)."""

    fields: Mapping[str, Any]
    """By the names of `Contact`; dates as they are written, None clears."""
    custom_fields: Mapping[str, Any] | None = field(default_factory=dict)
    """Merged into those that there are, by name; None within clears one, None clears all."""
    is_recurrent: bool | None = None
    interval: Mapping[str, Any] = field(default_factory=dict)
    """`value` and `unit`, as far as they were given."""


def changed_by(known: Contact, given: ContactGiven, *, account_zone: str) -> Contact:
    """The contact as the caller wants it. Raises `Invalid`."""
    contact = replace(
        known,
        **{name: value for name, value in given.fields.items() if name not in _DATES},
        custom_fields=_merged(known.custom_fields, given.custom_fields),
        interval=_interval(known, given),
    )
    contact = _with_dates(contact, known, given, account_zone)
    try:
        contact, anchor = _due_by_interval(contact, account_zone)
        return settled(contact, known, account_zone=account_zone, anchor=anchor)
    except BadTime as error:
        raise Invalid([Problem("next_due_at", str(error))]) from None


def _merged(known: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {}
    merged = {name: value for name, value in {**known, **given}.items() if value is not None}
    if given and len(json.dumps(merged, ensure_ascii=False)) > MOST_CUSTOM:
        raise Invalid([Problem("custom_fields", f"must be at most {MOST_CUSTOM} characters of JSON in all")])
    return merged


def _interval(known: Contact, given: ContactGiven) -> Interval | None:
    """Switched off it is forgotten (B-118); what is left out of a change stays."""
    recurs = known.is_recurrent if given.is_recurrent is None else given.is_recurrent
    if not recurs:
        if given.is_recurrent is None and any(part is not None for part in given.interval.values()):
            raise Invalid([Problem("is_recurrent", "must be true where an interval is given")])
        return None
    was = {"value": known.interval.value, "unit": known.interval.unit} if known.interval else {}
    wanted = {**was, **given.interval}
    missing = [part for part in ("value", "unit") if wanted.get(part) is None]
    if missing:
        needed = "is needed while is_recurrent is true"
        raise Invalid([Problem(f"recurrent_interval_{part}", needed, "missing") for part in missing])
    return Interval(wanted["value"], IntervalUnit(wanted["unit"]))


def _with_dates(contact: Contact, known: Contact, given: ContactGiven, account_zone: str) -> Contact:
    """A known date is read anew in another zone: a time without an offset is what the clock shows there (B-270)."""
    in_zone = zone_of(contact, account_zone)
    moves = contact.time_zone != known.time_zone
    problems: list[Problem] = []
    for name, told in _DATES.items():
        before: Due | None = getattr(known, name)
        if name not in given.fields and not (moves and before):
            continue
        text = given.fields.get(name, before and before.text)
        try:
            due = None if text is None else read_due(text, in_zone)
        except BadTime as error:
            problems.append(Problem(told, str(error)))
            continue
        contact = replace(contact, next_due=due) if name == "next_due" else replace(contact, last_service=due)
    if problems:
        raise Invalid(problems)
    return contact


def _due_by_interval(contact: Contact, account_zone: str) -> tuple[Contact, date | None]:
    """Due an interval after the last service, where nothing else says when (B-117)."""
    if contact.interval is None or contact.next_due is not None:
        return contact, None
    if contact.last_service is None:
        reason = "is needed while is_recurrent is true, or last_service_at to count from"
        raise Invalid([Problem("next_due_at", reason, "missing")])
    due, anchor = derived(contact.last_service, contact.interval, zone_of(contact, account_zone))
    return replace(contact, next_due=due), anchor
