"""The bodies and queries of reminders and contacts, exactly as they are on the wire (document 003)."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError, PydanticKnownError

from services.api.core.crm import TOO_HIGH
from services.api.parse import EXACT, PARTIAL, Wire
from services.api.shown import E164, EMAIL, Shown, whole_number
from shared.domain.email_address import BadEmail, check_email
from shared.domain.recipient import BadPhone, phone_in
from shared.domain.schedule import BadTime, Feb29, read_date

MOST_TITLE: Final = 100_000
MOST_DESCRIPTION: Final = 1_000_000
MOST_NUMBER: Final = 9_999
MOST_LIMIT: Final = 100
LARGEST_ID: Final = 2**63 - 1
DIGITS: Final = 9
"""Of a number in a query, at most."""

ANY_REGION: Final = "US"
"""Means nothing for a number with its country's code, and others are refused."""


def _says_something(text: str) -> str:
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise ValueError("must hold a character that can be seen")
    return text


def _no_controls(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("holds a control character")
    return text


def _date(text: str) -> str:
    try:
        read_date(text)
    except BadTime as error:
        raise ValueError(str(error)) from None
    return text


def _email(text: str) -> str:
    try:
        return check_email(text)
    except BadEmail as error:
        raise ValueError(str(error)) from None


def _phone(text: str) -> str:
    if not text.strip().startswith(("+", "00")):
        raise ValueError("must begin with + and the code of its country")
    try:
        phone_in(ANY_REGION, text)
    except BadPhone as error:
        raise ValueError(str(error)) from None
    return text


def _units(number: int | None, info: ValidationInfo) -> int | None:
    """Of one date alone it means nothing, whatever it is (B-171)."""
    if number is None or info.data.get("frequency_type") == ONCE:
        return None
    if number < 1:
        raise PydanticKnownError("greater_than_equal", {"ge": 1})
    if number > MOST_NUMBER:
        raise PydanticKnownError("less_than_equal", {"le": MOST_NUMBER})
    return number


def _counts(text: str) -> str:
    if not (text.isascii() and text.isdigit() and int(text[:DIGITS]) > 0):
        raise ValueError("must be a whole number, 1 or more")
    return text


def _page(text: str) -> str:
    if len(_counts(text)) > DIGITS:
        raise ValueError(f"must have at most {DIGITS} digits")
    return text


def _limit(text: str) -> str:
    if len(_counts(text)) > DIGITS or int(text) > MOST_LIMIT:
        raise PydanticCustomError(TOO_HIGH, "must be {most} or less", {"most": MOST_LIMIT})
    return text


ONCE: Final = "one_time"
Frequency = Literal["one_time", "day", "week", "month", "year"]
Precise = Literal["exact", "approximate", "unknown"]
Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A row's id."""
Date = Annotated[str, AfterValidator(_date), Shown("2026-05-29", "date")]
Name = Annotated[
    str, Field(min_length=1, max_length=255), AfterValidator(_says_something), AfterValidator(_no_controls)
]
Note = Annotated[str, Field(max_length=255), AfterValidator(_no_controls)]


class ReminderGiven(Wire):
    """`POST /api/reminder` and `PUT /api/reminders/{id}`: the same fields, the same ones required (B-193 to B-201)."""

    title: Annotated[str, Field(min_length=1, max_length=MOST_TITLE), AfterValidator(_says_something)]
    description: Annotated[str, Field(max_length=MOST_DESCRIPTION)] | None = None
    next_expected_date: Date
    frequency_type: Frequency
    frequency_number: Annotated[
        Annotated[int, Shown(schema=(("minimum", 1), ("maximum", MOST_NUMBER)))] | None, AfterValidator(_units)
    ] = None
    contact_id: Number
    feb29: Annotated[Feb29 | None, Field(strict=False)] = None


class _ContactFields(Wire):
    last_name: Note | None = None
    gender: Note | None = None
    is_partial: bool = False
    birthdate: Date | None = None
    is_birthdate_approximate: Precise = "unknown"
    email: Annotated[str, Field(max_length=254), AfterValidator(_email), EMAIL] | None = None
    phone: Annotated[str, Field(max_length=40), AfterValidator(_phone), E164] | None = None
    feb29: Annotated[Feb29 | None, Field(strict=False)] = None

    @property
    def given(self) -> frozenset[str]:
        """The fields that the caller wrote."""
        return frozenset(self.model_fields_set)


class NewContact(_ContactFields):
    """`POST /api/contacts`."""

    first_name: Name


class ContactChange(_ContactFields):
    """`PUT /api/contacts/{id}`: what is left out stays, null clears."""

    model_config = PARTIAL

    first_name: Name = ""


class PageQuery(Wire):
    """Of every list (B-185 to B-188)."""

    model_config = ConfigDict(strict=False)

    limit: Annotated[str, AfterValidator(_limit), whole_number(1, MOST_LIMIT)] = "10"
    page: Annotated[str, AfterValidator(_page), whole_number(1, 10**DIGITS - 1)] = "1"


class Removal(Wire):
    """Of what destroys: no parameter is known."""

    model_config = EXACT
