"""Finds a message in Twilio's list of messages, which shows neither our ids nor a key. Pure.

The list and its fields: twilio.com/docs/messaging/api/message-resource. A message that waits to be sent has no date yet
and may be missing from a list by date: it is asked for more than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from services.dispatcher.http_call import Answer
from services.dispatcher.provider import Found
from shared.domain.provider import clean_message_id
from shared.domain.receipt import Report

CLOCKS_APART: Final = timedelta(seconds=60)
"""How far Twilio's clock may be from ours."""

LONGEST_CALL: Final = timedelta(seconds=90)
"""After the start of a call, when its message was made at the latest."""

LISTED: Final = 20
"""Messages of one list: with texts of the longest kind they fit into what is read of an answer."""

_REPORTS: Final = {
    "delivered": Report.DELIVERED,
    "read": Report.READ,
    "sent": Report.SENT,
    "undelivered": Report.UNDELIVERED,
    "failed": Report.FAILED,
    "canceled": Report.FAILED,
}


def question(form: Mapping[str, str], began_at: datetime) -> str:
    """The query for messages to the number of `form` since the day on which its call began."""
    since = (began_at - CLOCKS_APART).astimezone(UTC).date().isoformat()
    return urlencode({"To": form["To"], "DateSent>": since, "PageSize": str(LISTED)})


def found_in(answer: Answer, form: Mapping[str, str], began_at: datetime) -> Sequence[Found] | None:
    """Messages that may be the one of `form`, nearest to its beginning first; None where `answer` is no list."""
    listed = answer.json().get("messages")
    if answer.status != 200 or not isinstance(listed, list):
        return None
    fitting = _fitting(listed, form, began_at)
    return sorted(fitting, key=lambda found: abs(found.created_at - began_at))


def _fitting(listed: Sequence[Any], form: Mapping[str, str], began_at: datetime) -> Iterator[Found]:
    for one in listed:
        if not isinstance(one, dict) or not _same(one, form):
            continue
        message_id, created_at = clean_message_id(one.get("sid")), _instant(one.get("date_created"))
        if message_id is None or created_at is None:
            continue
        if began_at - CLOCKS_APART <= created_at <= began_at + LONGEST_CALL + CLOCKS_APART:
            status, code = one.get("status"), one.get("error_code")
            report = _REPORTS.get(status, Report.ACCEPTED) if isinstance(status, str) else Report.ACCEPTED
            yield Found(message_id, report, created_at, str(code) if isinstance(code, int) else None)


def _same(one: Mapping[str, Any], form: Mapping[str, str]) -> bool:
    """To the same number, by the same sender, with the same text; a trial account writes a line of its own before."""
    sender, body = form.get("From"), one.get("body")
    return (
        one.get("direction") == "outbound-api"
        and one.get("to") == form["To"]
        and sender in {None, one.get("from")}
        and isinstance(body, str)
        and body.strip().endswith(form["Body"].strip())
    )


def _instant(text: object) -> datetime | None:
    """RFC 2822, as Twilio writes times."""
    try:
        at = parsedate_to_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC) if at is not None else None
