"""Reading Retry-After, whatever a hostile server writes into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST: Final = timedelta(days=7)


def retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date, as a wait of at most seven days; None for what is neither, or lies in the past."""
    if text is None or len(text) > 64 or not text.isascii():
        return None
    text = text.strip()
    if text.isdigit():
        return min(timedelta(seconds=min(int(text), 10**7)), _LONGEST)
    try:
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(wait, _LONGEST) if wait > timedelta(0) else None
