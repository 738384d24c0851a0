"""The bodies and queries of contacts and opt-outs, exactly as they are on the wire (document 002)."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from services.api.parse import EXACT, Wire
from services.api.problems import LONGEST_NAME, items
from services.api.shown import E164, EMAIL, TIME_ZONE, Shown, whole_number
from shared.domain.due import read_due
from shared.domain.email_address import BadEmail, check_email
from shared.domain.schedule import BadTime, BadZone, zone

MOST_TAGS: Final = 100
MOST_CAMPAIGNS: Final = 100
LONGEST_NOTE: Final = 10_000

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_UTC: Final = ZoneInfo("UTC")
_LARGEST: Final = 2**63
"""No number in custom fields is larger: JSON's readers disagree about what is."""


def is_e164(text: str) -> bool:
    """Whether it is a phone number that could exist, written as E.164 says."""
    if _E164.fullmatch(text) is None:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        return False


def check_phone(text: str) -> str:
    """A phone number, or the refusal of B-101."""
    if is_e164(text):
        return text
    raise PydanticCustomError(
        "INVALID_PHONE_FORMAT",
        "must be a phone number in E.164",
        {"value": text[:LONGEST_NAME], "suggestion": _suggested(text)},
    )


def _suggested(text: str) -> str:
    compact = re.sub(r"[\s().\-/]", "", text)
    compact = f"+{compact[2:]}" if compact.startswith("00") else compact
    if is_e164(compact):
        return f"Write it as {compact}"
    return "Begin with + and the country code, then digits alone, such as +447912345678"


def checked_email(text: str) -> str:
    """An e-mail address, or the refusal of B-102."""
    try:
        return check_email(text)
    except BadEmail:
        suggestion = "Give one address, such as name@example.com"
        facts = {"value": text[:LONGEST_NAME], "suggestion": suggestion}
        raise PydanticCustomError("INVALID_EMAIL_FORMAT", "must be an e-mail address", facts) from None


def _phone(text: str | None, info: ValidationInfo) -> str | None:
    """Asked also where it is left out: then the e-mail must be there (B-100)."""
    if text is not None:
        return check_phone(text)
    if "email" in info.data and info.data["email"] is None:
        raise PydanticCustomError("MISSING_IDENTIFIER", "give a phone or an email")
    return None


def _without_controls(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must have no control characters")
    return text


def _tag(text: str) -> str:
    if not text.strip():
        raise ValueError("must have a printable character")
    return _without_controls(text)


def _due(text: str) -> str:
    try:
        read_due(text, _UTC)
    except BadTime as error:
        raise ValueError(str(error)) from None
    return text


def _zone(text: str) -> str:
    try:
        zone(text)
    except BadZone as error:
        raise ValueError(str(error)) from None
    return text


def _numbers_fit(value: Any) -> Any:
    parts = [value]
    while parts:
        match parts.pop():
            case dict() as found:
                parts.extend(found.values())
            case list() as found:
                parts.extend(found)
            case int() | float() as number if abs(number) >= _LARGEST:
                raise ValueError("has a number that is too large; numbers are below 2 to the power of 63")
            case _:
                pass
    return value


def _for_recurrent(part: Any, info: ValidationInfo) -> Any:
    """B-112."""
    if part is None and info.data.get("is_recurrent") is True:
        raise PydanticCustomError("missing", "is needed where is_recurrent is true")
    return part


Name = Annotated[str, Field(max_length=255), AfterValidator(_without_controls)]
Email = Annotated[str, AfterValidator(checked_email), EMAIL]
Phone = Annotated[str, AfterValidator(check_phone), E164]
Due = Annotated[str, AfterValidator(_due), Shown("2026-05-29", "date-or-moment")]
Tag = Annotated[str, Field(max_length=100), AfterValidator(_tag)]


class NewContact(Wire):
    """`POST /v1/contacts` (B-099 to B-118): what is left out stays, null clears."""

    email: Email | None = None
    phone: Annotated[str | None, AfterValidator(_phone), Field(validate_default=True), E164] = None
    first_name: Name | None = None
    last_name: Name | None = None
    marketing_consent: bool | None = None
    next_due_at: Due | None = None
    last_service_at: Due | None = None
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] | None = None
    tags: Annotated[tuple[Tag, ...], Field(strict=False), items(most=MOST_TAGS)] | None = None
    custom_fields: Annotated[dict[str, Any], AfterValidator(_numbers_fit)] | None = None
    campaign_ids: (
        Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(strict=False), items(most=MOST_CAMPAIGNS)]
        | None
    ) = None
    is_recurrent: bool | None = None
    recurrent_interval_value: Annotated[
        Annotated[int, Field(ge=1, le=999)] | None, AfterValidator(_for_recurrent), Field(validate_default=True)
    ] = None
    recurrent_interval_unit: Annotated[
        Literal["days", "months", "years"] | None, AfterValidator(_for_recurrent), Field(validate_default=True)
    ] = None
    time_zone: Annotated[str, AfterValidator(_zone), TIME_ZONE] | None = None


def _count(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("must be a whole number")
    return text


def _positive(text: str) -> str:
    if int(_count(text)) < 1:
        raise ValueError("must be a whole number, 1 or more")
    return text


def _moment(text: str) -> str:
    """In a query a `+` that was not encoded arrives as a space."""
    return _due(re.sub(r" (\d{2}:?\d{2})\Z", r"+\1", text) if "T" in text.upper() else text)


def with_plus(text: str) -> str:
    """A phone number whose `+` was lost, as it is in a query that is not encoded (B-128)."""
    return f"+{text.strip().removeprefix('+').strip()}"


Flag = Literal["true", "false"]
Moment = Annotated[str, AfterValidator(_moment), Shown("2026-05-29", "date-or-moment")]


class _Query(Wire):
    model_config = ConfigDict(strict=False)


class PageQuery(_Query):
    """Which part of a list; a limit above the most is the most (B-120)."""

    limit: Annotated[str, AfterValidator(_positive), whole_number(1, 10**18 - 1)] = "50"
    offset: Annotated[str, AfterValidator(_count), whole_number(0, 10**18 - 1)] = "0"


class ContactQuery(PageQuery):
    """`GET /v1/contacts` (B-119 to B-124, B-127)."""

    phone: Annotated[str, AfterValidator(with_plus), AfterValidator(check_phone), E164] | None = None
    email: Email | None = None
    search: Annotated[str, Field(max_length=255)] | None = None
    has_phone: Flag | None = None
    marketing_consent: Flag | None = None
    is_recurrent: Flag | None = None
    next_due_before: Moment | None = None
    next_due_after: Moment | None = None
    created_after: Moment | None = None
    sort_by: Literal["created_at", "updated_at", "next_due_at", "first_name"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"


class Removal(_Query):
    """`DELETE /v1/contacts/{id}`."""

    model_config = EXACT

    erase: Flag = "false"


class NewOptOut(Wire):
    """`POST /v1/opt-outs`: one of phone and email."""

    email: Email | None = None
    phone: Annotated[str | None, AfterValidator(_phone), Field(validate_default=True), E164] = None
    source: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_tag)] = "api"
