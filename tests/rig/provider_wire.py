"""What the three HTTP providers say on the wire, for the fake server to say it: requests read, answers made.

Shapes: Twilio's Messages resource and error envelope (twilio.com/docs/messaging/api/message-resource and
/docs/usage/twilios-response), Meta's Cloud API messages and errors (developers.facebook.com/docs/whatsapp).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the server has."""

    id: str
    at: float
    """Seconds since 1970."""
    message: Mapping[str, Any]
    status: str


@dataclass(frozen=True, slots=True)
class Wire:
    """One provider's wire format."""

    name: str
    path: re.Pattern[str]
    read: Callable[[Mapping[str, str], bytes], dict[str, Any]]
    """Headers and body to the message as the provider understands it; raises ValueError for anything else."""
    new_id: Callable[[], str]
    accepted: Callable[[str], Reply]
    rejected: Reply
    slow_down: Reply
    unauthorized: Reply
    failed: Reply
    error_inside: Reply
    listed: Callable[[Mapping[str, str], Sequence[Taken]], Reply] | None = None
    """What it answers to a query for its messages, newest first; None where it has no such list."""


def _twilio_error(status: int, code: int) -> Reply:
    info = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": "made up", "more_info": info, "status": status})


def _read_twilio(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("Content-Type") != "application/x-www-form-urlencoded":
        raise ValueError("not a form")
    if not headers.get("Authorization", "").startswith("Basic "):
        raise ValueError("no basic auth")
    form = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    if "To" not in form or not ({"From", "MessagingServiceSid"} & form.keys()):
        raise ValueError("To, and From or MessagingServiceSid, are needed")
    if not ({"Body", "ContentSid"} & form.keys()):
        raise ValueError("Body or ContentSid is needed")
    return form


def _accepted_by_twilio(sid: str) -> Reply:
    return Reply(
        201,
        {"sid": sid, "status": "queued", "error_code": None, "error_message": None, "num_segments": "1"},
    )


def _rfc2822(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC))


def _listed_by_twilio(query: Mapping[str, str], taken: Sequence[Taken]) -> Reply:
    """As the Messages list resource answers: `To` and the day after `DateSent>` are kept to."""
    since = query.get("DateSent>", "")
    messages = [
        {
            "sid": one.id,
            "to": one.message["To"],
            "from": one.message.get("From"),
            "body": one.message.get("Body", ""),
            "direction": "outbound-api",
            "status": one.status,
            "error_code": None,
            "date_created": _rfc2822(one.at),
            "date_sent": _rfc2822(one.at),
        }
        for one in reversed(taken)
        if query.get("To") in {None, one.message["To"]}
        and datetime.fromtimestamp(one.at, UTC).date().isoformat() >= since
    ]
    size = int(query.get("PageSize", "50"))
    return Reply(200, {"messages": messages[:size], "page": 0, "page_size": size, "next_page_uri": None})


TWILIO = Wire(
    name="twilio",
    path=re.compile(r"/2010-04-01/Accounts/AC[0-9a-f]{32}/Messages\.json"),
    read=_read_twilio,
    new_id=lambda: "SM" + secrets.token_hex(16),
    accepted=_accepted_by_twilio,
    rejected=_twilio_error(400, 21211),
    slow_down=_twilio_error(429, 20429),
    unauthorized=_twilio_error(401, 20003),
    failed=_twilio_error(500, 20500),
    error_inside=Reply(200, {"code": 21211, "message": "made up", "status": 400}),
    listed=_listed_by_twilio,
)


def _meta_error(status: int, code: int) -> Reply:
    error = {"message": f"(#{code}) made up", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return Reply(status, {"error": error | {"error_data": {"messaging_product": "whatsapp", "details": "-"}}})


def _read_whatsapp(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not headers.get("Authorization", "").startswith("Bearer "):
        raise ValueError("no bearer token")
    message: dict[str, Any] = json.loads(body)
    if message["messaging_product"] != "whatsapp" or message["type"] not in message:
        raise ValueError("messaging_product and the type's own object are needed")
    return message


def _accepted_by_meta(wamid: str) -> Reply:
    contacts = [{"input": "+15550001111", "wa_id": "15550001111"}]
    messages = [{"id": wamid, "message_status": "accepted"}]
    return Reply(200, {"messaging_product": "whatsapp", "contacts": contacts, "messages": messages})


WHATSAPP = Wire(
    name="whatsapp",
    path=re.compile(r"/v[0-9]+\.[0-9]+/[0-9]+/messages"),
    read=_read_whatsapp,
    new_id=lambda: "wamid." + secrets.token_hex(12).upper(),
    accepted=_accepted_by_meta,
    rejected=_meta_error(400, 131026),
    slow_down=_meta_error(400, 130429),
    unauthorized=_meta_error(401, 190),
    failed=_meta_error(500, 131000),
    error_inside=_meta_error(200, 131026),
)


def _read_http(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    for name in ("Idempotency-Key", "Belltower-Occurrence", "Belltower-Scheduled-At"):
        if not headers.get(name):
            raise ValueError(f"{name} is needed")
    message: dict[str, Any] = json.loads(body)
    return message


HTTP = Wire(
    name="http",
    path=re.compile(r"/.*"),
    read=_read_http,
    new_id=lambda: "msg_" + secrets.token_hex(8),
    accepted=lambda message_id: Reply(202, {"id": message_id}),
    rejected=Reply(400, {"error": "invalid_recipient"}),
    slow_down=Reply(429, {"error": "slow_down"}),
    unauthorized=Reply(401, {"error": "unauthorized"}),
    failed=Reply(503, {"error": "unavailable"}),
    error_inside=Reply(200, {"error": "quota"}),
)

WIRES = (TWILIO, WHATSAPP, HTTP)


def wire_of(path: str) -> Wire:
    """The wire format spoken at `path`; the generic gateway takes every path that is nobody else's."""
    return next(wire for wire in WIRES if wire.path.fullmatch(path))
