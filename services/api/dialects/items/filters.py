"""Query parameters of a list, and the filter of a bulk action, to what the core searches by. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.api.core.listing import Filter
from services.api.dialects.items import wire
from shared.domain.refusal import Invalid, Problem
from shared.domain.schedule import BadTime, instant, zone

MOST_PER_PAGE: Final = 200

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LOST_PLUS: Final = re.compile(r"(T[0-9:.]+) (\d{2}:?\d{2})", re.ASCII)
_WRITTEN: Final = re.compile(r"[+0-9 ().\-/]+", re.ASCII)


def to_page(query: wire.ListQuery) -> tuple[int, int]:
    """Page size and skip (B-081). Raises `Invalid`."""
    size, skip = int(query.page_size), int(query.skip)
    if not 1 <= size <= MOST_PER_PAGE:
        raise Invalid([Problem("pageSize", f"must be 1 to {MOST_PER_PAGE}")])
    return size, skip


def to_filter(query: wire.Filters, *, account_zone: str, where: wire.Where | None = None) -> Filter:
    """What to search by; dates without an offset are read in the account's zone (B-080). Raises `Invalid`.

    `where` is the configuration that is meant where the filter itself names none.
    """
    problems: list[Problem] = []
    in_zone = zone(account_zone)
    created_from = _bound(query.date_from, in_zone, "dateFrom", problems, ends=False)
    created_before = _bound(query.date_to, in_zone, "dateTo", problems, ends=True)
    digits = _digits(query.phone_number, problems)
    if problems:
        raise Invalid(problems)
    named = query if where is None or query.agent_id or query.configuration_id else where
    return Filter(
        agent_id=named.agent_id,
        configuration_id=named.configuration_id,
        status=query.status,
        phone_digits=digits,
        phone_contains=query.phone_match == "contains",
        created_from=created_from,
        created_before=created_before,
    )


def _digits(written: str | None, problems: list[Problem]) -> str | None:
    if written is None:
        return None
    digits = re.sub(r"[^0-9]", "", written)
    if not digits or _WRITTEN.fullmatch(written) is None:
        problems.append(Problem("phoneNumber", "digits, with or without the country code"))
    return digits.removeprefix("00") if written.startswith("00") else digits


def _bound(text: str | None, in_zone: ZoneInfo, field: str, problems: list[Problem], *, ends: bool) -> datetime | None:
    """A day, or a date and time; the end is inclusive, so what is returned lies just behind it."""
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=1 if ends else 0)
            return datetime.combine(day, time(0), tzinfo=in_zone).astimezone(UTC)
        moment = instant(_LOST_PLUS.sub(r"\1+\2", text), in_zone)
        return moment + timedelta(microseconds=1 if ends else 0)
    except (BadTime, ValueError, OverflowError):
        problems.append(Problem(field, "a date such as 2025-05-29, or an ISO 8601 date and time"))
        return None
