"""Texts with macros: `{first_name}` is filled in from the contact when its sends are planned (B-098). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.domain.contact import Contact, Due

MOST_OF_A_FIELD: Final = 2_000
"""Characters of a custom field that a text may hold; more than a telephone takes in all."""

_MACRO: Final = re.compile(r"\{([^{}]*)\}")
_CUSTOM: Final = "custom."


class BadText(ValueError):
    """A text with braces that no contact fills; the message says what would be right."""


def _due(due: Due | None, zone: ZoneInfo) -> str:
    """A date as it was given; a date and time as the contact's clock shows it."""
    if due is None:
        return ""
    return due.text if due.is_date else f"{due.at.astimezone(zone):%Y-%m-%d %H:%M}"


_FIELDS: Final[Mapping[str, Callable[[Contact, ZoneInfo], str]]] = MappingProxyType(
    {
        "first_name": lambda contact, _: contact.first_name or "",
        "last_name": lambda contact, _: contact.last_name or "",
        "phone": lambda contact, _: contact.phone or "",
        "email": lambda contact, _: contact.email or "",
        "next_due_at": lambda contact, zone: _due(contact.next_due, zone),
        "last_service_at": lambda contact, zone: _due(contact.last_service, zone),
    }
)

MACROS: Final = (*_FIELDS, f"{_CUSTOM}…")
"""What may stand in braces; `custom.x` is the contact's custom field `x`."""


def check_text(text: str) -> None:
    """Raise `BadText` for braces that are no macro: they would be sent as they stand."""
    for name in _MACRO.findall(text):
        if name not in _FIELDS and not (name.startswith(_CUSTOM) and len(name) > len(_CUSTOM)):
            raise BadText(f"holds braces that are no macro; those are {', '.join(f'{{{name}}}' for name in MACROS)}")
    rest = _MACRO.sub("", text)
    if "{" in rest or "}" in rest:
        raise BadText("holds a brace without its partner")


def fill(text: str, contact: Contact, zone: ZoneInfo) -> str:
    """`text` with its macros filled in, in one pass; what is not known of the contact becomes nothing."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith(_CUSTOM):
            return _short(_plain(contact.custom_fields.get(name.removeprefix(_CUSTOM))))
        return _FIELDS[name](contact, zone)

    return _MACRO.sub(value, text)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= MOST_OF_A_FIELD else f"{text[: MOST_OF_A_FIELD - 1]}…"
