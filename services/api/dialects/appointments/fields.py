"""The kinds of values that bodies and queries hold: each checks itself and says what would be right."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError, from_json

from services.api.json_body import lax_problems
from services.api.shown import DURATION, E164, MOMENT, TIME_ZONE, whole_number
from shared.domain.booking import MOST_TEXT
from shared.domain.metadata import BadMacro, Scalar, check_macros
from shared.domain.recipient import BadPhone, phone_in
from shared.domain.schedule import BadDuration, BadTime, BadZone, Duration, instant, zone

MOST_VALUES: Final = 100
_SAFE_INTEGER: Final = 2**53
_UTC: Final = ZoneInfo("UTC")


def _no_controls(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("holds a control character")
    return text


def _phone(text: str, info: ValidationInfo) -> str:
    """`region` of the context is the country whose numbers need no code (B-215)."""
    try:
        phone_in((info.context or {})["region"], text)
    except BadPhone as error:
        raise PydanticCustomError("invalid_phone", "{why}", {"why": str(error)}) from None
    return text


def _with_plus(text: Any) -> Any:
    """A plus that was not escaped reaches us as a space."""
    return f"+{text[1:]}" if isinstance(text, str) and text.startswith(" ") else text


def _duration(text: str) -> str:
    try:
        Duration.parse(text)
    except BadDuration as error:
        raise ValueError(str(error)) from None
    return text


def _moment(text: str) -> str:
    try:
        instant(text, _UTC)
    except BadTime as error:
        raise ValueError(str(error)) from None
    return text


def _zone(name: str) -> str:
    try:
        zone(name)
    except BadZone as error:
        raise ValueError(str(error)) from None
    return name


def _message_text(text: str) -> str:
    _no_controls(text.replace("\n", "").replace("\r", "").replace("\t", ""))
    try:
        check_macros(text)
    except BadMacro as error:
        raise ValueError(str(error)) from None
    return text


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("must be a whole number of at most 9 digits")
    return text


def _object(value: Any) -> Any:
    """The object itself, where it is given as a text that holds one (B-232)."""
    if not isinstance(value, str):
        return value
    try:
        read = from_json(value, allow_inf_nan=False)
    except ValueError:
        raise ValueError("must be a JSON object, or a text that holds one") from None
    if not isinstance(read, dict) or lax_problems(value.encode()):
        raise ValueError("must be a JSON object, or a text that holds one, with each name once")
    return read


def _scalar(value: Any) -> Any:
    """One problem for what is none, where a union would tell of each of its kinds."""
    if isinstance(value, dict | list):
        raise PydanticCustomError("scalar_type", "must be a text, a number, true, false or null")
    return value


def _few(values: dict[str, Scalar]) -> dict[str, Scalar]:
    if len(values) > MOST_VALUES:
        raise ValueError(f"must have at most {MOST_VALUES} values")
    for name, value in values.items():
        if len(name) > 100:
            raise ValueError("has a name of more than 100 characters")
        if isinstance(value, str) and len(value) > 1_000:
            raise ValueError(f"{name} has more than 1000 characters")
        if isinstance(value, int | float) and abs(value) >= _SAFE_INTEGER:
            raise ValueError(f"{name} is a number that not every reader can hold: write it as a text")
    return values


Line = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_no_controls)]
OptionalLine = Annotated[Line | None, BeforeValidator(lambda given: None if given == "" else given)]
"""An empty text is none: many a form sends what was left out so."""
PhoneNumber = Annotated[str, AfterValidator(_phone), E164]
Offset = Annotated[str, AfterValidator(_duration), DURATION]
Moment = Annotated[str, AfterValidator(_moment), MOMENT]
Zone = Annotated[str, AfterValidator(_zone), TIME_ZONE]
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT), AfterValidator(_message_text)]
Metadata = Annotated[
    dict[str, Annotated[Scalar, BeforeValidator(_scalar)]], BeforeValidator(_object), AfterValidator(_few)
]
LookedFor = Annotated[str, BeforeValidator(_with_plus), AfterValidator(_phone), E164]
"""A phone in a query."""
Digits = Annotated[str, AfterValidator(_digits), whole_number(0, 999_999_999)]
"""A whole number in a query."""
