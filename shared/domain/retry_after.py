"""Reading `Retry-After` from servers that may say anything in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# ASCII digits only: `int()` would also take other scripts' digits and underscores.
_SECONDS: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?", re.ASCII)


def retry_after(
    value: str | None, *, now: datetime, longest: timedelta, server_date: str | None = None
) -> timedelta | None:
    """How long a server asks us to wait, between nothing and `longest`; None where it says nothing readable.

    `value` is the header as received: seconds or an HTTP-date (RFC 9110, section 10.2.3). A date is measured
    from the answer's own `Date` header (`server_date`) where there is one, so that a server whose clock is
    wrong still means what it says; otherwise from `now` (aware). A negative or past value is no wait at all.
    """
    text = (value or "").strip()[:64]
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        # Clamped as a float, where no number of digits can overflow a timedelta.
        return timedelta(seconds=min(max(float(text), 0.0), longest.total_seconds()))
    until = _http_date(text)
    if until is None:
        return None
    wait = until - (_http_date((server_date or "").strip()[:64]) or now)
    return min(max(wait, timedelta(0)), longest)


def _http_date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
