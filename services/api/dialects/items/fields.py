"""The kinds of values that bodies hold: each checks itself and says what would be right.

A check that needs another field looks at those that were read before it, so that every problem is named at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from services.api.dialects.items.paths import RESERVED_IDS
from services.api.problems import items
from services.api.shown import MOMENT, TIME_ZONE, Shown, whole_number
from shared.domain.account import RESERVED_AGENT_IDS
from shared.domain.recipient import BadPhone, dialling_code, phone
from shared.domain.schedule import MAX_SEND_TIMES, BadTime, BadZone, instant, zone
from shared.domain.template import MAX_PARAMETERS
from shared.domain.webhook_url import BadUrl, check_url


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


def _no_controls(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("holds a control character")
    return text


def _no_controls_but_lines(text: str) -> str:
    _no_controls(text.replace("\n", "").replace("\r", "").replace("\t", ""))
    return text


def _one_segment(text: str) -> str:
    if "/" in text or text in {".", ".."}:
        raise ValueError("may not hold a /, nor be . or ..")
    return _printable(text)


def _zone(name: str) -> str:
    try:
        zone(name)
    except BadZone as error:
        raise ValueError(str(error)) from None
    return name


def _dialling_code(text: str) -> str:
    try:
        dialling_code(text)
    except BadPhone as error:
        raise ValueError(str(error)) from None
    return text


def _phone(text: str, info: ValidationInfo) -> str:
    country_code = info.data.get("country_code")
    if country_code:  # an update may leave it out: then the kept one decides, once it is known
        try:
            phone(country_code, text)
        except BadPhone as error:
            raise ValueError(str(error)) from None
    return text


def _moment(text: str) -> str:
    try:
        instant(text, _UTC)
    except BadTime as error:
        raise ValueError(str(error)) from None
    return text


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("must be a whole number of at most 9 digits")
    return text


def _not_reserved(words: frozenset[str]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name in words:
            raise PydanticCustomError("reserved", "may not be one of {words}", {"words": ", ".join(sorted(words))})
        return name

    return check


def _webhook_url(url: str, info: ValidationInfo) -> str:
    try:
        if url:
            check_url(url, (info.context or {}).get("networks", ()))
    except BadUrl as error:
        raise PydanticCustomError("url_refused", "{why}", {"why": str(error)}) from None
    return url


_UTC: Final = ZoneInfo("UTC")

Segment = Annotated[
    str, Field(min_length=1, max_length=255), AfterValidator(_one_segment), Shown(schema=(("pattern", "^[^/]+$"),))
]
"""Stands in a path: a caller's id, an agent, a configuration, a template."""
Line = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_no_controls)]
OptionalLine = Annotated[Line | None, BeforeValidator(lambda given: None if given == "" else given)]
"""An empty text is none: many a form sends what was left out so."""
Parameter = Annotated[str, Field(max_length=1_024), AfterValidator(_no_controls)]
Parameters = Annotated[tuple[Parameter, ...], Field(strict=False), items(most=MAX_PARAMETERS)]
Text = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_controls_but_lines)]
Zone = Annotated[str, AfterValidator(_zone), TIME_ZONE]
CountryCode = Annotated[str, AfterValidator(_dialling_code), Shown("+62", "dialling-code")]
PhoneNumber = Annotated[str, AfterValidator(_phone), Shown("81234567890", "national-phone")]
Moment = Annotated[str, AfterValidator(_moment), MOMENT]
SendTimes = Annotated[tuple[Moment, ...], Field(strict=False), items(least=1, most=MAX_SEND_TIMES)]
Digits = Annotated[str, AfterValidator(_digits), whole_number(0, 999_999_999)]
"""A whole number in a query."""
ItemId = Annotated[Segment, AfterValidator(_not_reserved(RESERVED_IDS))]
PARAMETERS: Final = {"agentId": Segment, "configurationId": Segment, "reminderId": Segment, "name": Segment}
"""Of paths."""
AgentId = Annotated[Segment, AfterValidator(_not_reserved(RESERVED_AGENT_IDS))]
WebhookUrl = Annotated[str, AfterValidator(_webhook_url), Shown("https://example.com/hook")]
"""Empty, or a URL that this deployment may call: `networks` of the context are its exceptions."""
