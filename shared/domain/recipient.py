"""Whom a message goes to: the channel and the address, normalised once and compared only in that form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException

_DIALLING_CODE: Final = re.compile(r"(?:\+|00)?([1-9]\d{0,3})", re.ASCII)
_PHONE: Final = re.compile(r"[+0-9 ().\-/]{3,32}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[^0-9+]", re.ASCII)


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"


class BadPhone(ValueError):
    """Not a number that could be reached; `field` says which part is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number, normalised."""

    e164: str
    """With its plus: what is stored, compared and sent to."""
    national: str
    """The digits of the national part, for searching."""


def dialling_code(text: str) -> str:
    """The digits of a country's dialling code, written `62`, `+62` or `0062` (B-014). Raises `BadPhone`."""
    code = _DIALLING_CODE.fullmatch(text.strip())
    if code is None:
        raise BadPhone("country_code", "not a dialling code, such as +62")
    if phonenumbers.region_code_for_country_code(int(code[1])) == "ZZ":
        raise BadPhone("country_code", "not a dialling code in use")
    return code[1]


def phone(country_code: str, number: str) -> Phone:
    """The number that a dialling code and a national part name, however they are written (B-014, B-016).

    A trunk zero and a repeated country code are stripped. Raises `BadPhone`.
    """
    digits = dialling_code(country_code)
    region = phonenumbers.region_code_for_country_code(int(digits))
    written = number.strip()
    if _PHONE.fullmatch(written) is None:
        raise BadPhone("phone_number", "not a phone number: digits, spaces and ( ) . - / only")
    compact = _SEPARATORS.sub("", written)
    parsed = _parse(compact, region, digits)
    if parsed is None:
        raise BadPhone("phone_number", f"not a possible number in +{digits}")
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, phonenumbers.national_significant_number(parsed))


def is_region(name: str) -> bool:
    """Whether this is a country that `phone_in` knows."""
    return name in phonenumbers.SUPPORTED_REGIONS


def phone_in(region: str, text: str) -> Phone:
    """The number that `text` names to somebody in `region`, such as `US`: the country's own, or with a code (C-24).

    Another country's code needs its `+` or `00`: without it a digit too many would be a number elsewhere. Raises
    `BadPhone`.
    """
    written = text.strip()
    if _PHONE.fullmatch(written) is None:
        raise BadPhone("phone", "not a phone number: digits, spaces and ( ) . - / only")
    compact = _SEPARATORS.sub("", written)
    digits = phonenumbers.country_code_for_region(region)
    if "+" in compact[1:]:
        raise BadPhone("phone", "a + stands at the start of a number, or not at all")
    international = compact.startswith(("+", "00"))
    readings = [(f"+{compact[2:]}" if compact.startswith("00") else compact, None if international else region)]
    if not international and compact.startswith(str(digits)):
        readings.append((f"+{compact}", None))
    for number, default in readings:
        try:
            parsed = phonenumbers.parse(number, default)
        except NumberParseException:
            continue
        if phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE:
            e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            return Phone(e164, phonenumbers.national_significant_number(parsed))
    raise BadPhone("phone", f"not a possible number, neither in +{digits} nor with a country code")


def _parse(number: str, region: str, digits: str) -> phonenumbers.PhoneNumber | None:
    """The number, where it is possible and lies in the country of `digits`; the plain reading comes first."""
    international = number if number.startswith("+") else f"+{number[2:]}" if number.startswith("00") else None
    readings = [(international, None)] if international else [(number, region), (f"+{digits}{number}", None)]
    for text, default in readings:
        try:
            parsed = phonenumbers.parse(text, default)
        except NumberParseException:
            continue
        if parsed.country_code == int(digits) and phonenumbers.is_possible_number(parsed):
            return parsed
    return None
