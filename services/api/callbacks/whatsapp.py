"""Meta's webhooks of WhatsApp: JSON, signed with HMAC-SHA256 over the bytes of the body.

Before the first, Meta asks with a GET and a token of ours (`hub.verify_token`), and wants `hub.challenge` back. One
body may hold the states of many messages (developers.facebook.com/documentation/business-messaging/whatsapp/webhooks);
whatever else it holds, such as messages that people sent, is not read.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from services.api.callbacks.callback import Callback, Forged, Unreadable, clean_code, settings_config
from shared.domain.provider import OPTED_OUT, ProviderName, clean_message_id
from shared.domain.receipt import Receipt, Report, read_reference

_REPORTS: Final = {
    "sent": Report.SENT,
    "delivered": Report.DELIVERED,
    "read": Report.READ,
    "played": Report.READ,
    "failed": Report.FAILED,
}
_LATEST: Final = 253_402_300_799
"""Seconds since 1970 at the end of the year 9999."""


class WhatsAppCallbackSettings(BaseSettings):
    """Settings of WhatsApp's callbacks, `BELLTOWER_WHATSAPP_…`."""

    model_config = settings_config("BELLTOWER_WHATSAPP_")

    app_secret: SecretStr | None = Field(None, description="The app's secret: Meta signs its callbacks with it.")
    verify_token: SecretStr | None = Field(
        None, description="A word of your own that Meta is told too, and shows when it asks whether this is the place."
    )


@dataclass(frozen=True, slots=True)
class WhatsAppReceiver:
    """The callbacks of one app."""

    secret: bytes
    verify_token: str | None

    def challenge(self, request: web.Request) -> str:
        """Meta's own word back, where it knows ours. Raises `Forged`."""
        query = request.query
        asked = query.get("hub.mode") == "subscribe"
        token, word = query.get("hub.verify_token", ""), query.get("hub.challenge", "")
        if not asked or self.verify_token is None or not _equal(token, self.verify_token):
            raise Forged
        if not (0 < len(word) <= 255 and word.isascii() and word.isprintable()):
            raise Forged
        return word

    def read(self, request: web.Request, body: bytes) -> Sequence[Receipt]:
        """The reports of one body, which may be none. Raises `Forged`, `Unreadable`."""
        given = request.headers.getall("X-Hub-Signature-256", [])
        if len(given) != 1 or not _equal(given[0], signature(self.secret, body)):
            raise Forged
        return receipts_of(body)


def signature(secret: bytes, body: bytes) -> str:
    """What Meta puts in `X-Hub-Signature-256`."""
    return f"sha256={hmac.new(secret, body, sha256).hexdigest()}"


def _equal(one: str, other: str) -> bool:
    # Of digests: the texts may differ in length, and hold what is no ASCII.
    digests = (sha256(text.encode(errors="replace")).digest() for text in (one, other))
    return hmac.compare_digest(*digests)


def receipts_of(body: bytes) -> list[Receipt]:
    """Every state of a message that `body` tells, in its order. Raises `Unreadable` where it is no JSON."""
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    return [receipt for status in _statuses(whole) if (receipt := _receipt(status)) is not None]


def _statuses(whole: object) -> Iterator[Mapping[str, Any]]:
    for entry in _list(whole, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value")
            yield from _list(value, "statuses")


def _list(within: object, name: str) -> list[Mapping[str, Any]]:
    found = within.get(name) if isinstance(within, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _receipt(status: Mapping[str, Any]) -> Receipt | None:
    word, reference = status.get("status"), status.get("biz_opaque_callback_data")
    report = _REPORTS.get(word) if isinstance(word, str) else None
    message_id = clean_message_id(status.get("id"))
    if report is None or message_id is None:
        return None
    occurrence_id, attempt_id = read_reference(reference if isinstance(reference, str) else None)
    errors = _list(status, "errors")
    code = clean_code(errors[0].get("code")) if errors else None
    return Receipt(
        provider=ProviderName.WHATSAPP.value,
        message_id=message_id,
        attempt_id=attempt_id,
        occurrence_id=occurrence_id,
        report=report,
        code=code,
        at=_instant(status.get("timestamp")),
        opted_out=code is not None and int(code) in OPTED_OUT[ProviderName.WHATSAPP],
    )


def _instant(seconds: object) -> datetime | None:
    """Seconds since 1970, as Meta writes them: a text."""
    text = str(seconds) if isinstance(seconds, int) and not isinstance(seconds, bool) else seconds
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return datetime.fromtimestamp(int(text), UTC) if int(text) <= _LATEST else None


def _open(_public_url: str | None) -> WhatsAppReceiver | None:
    settings = WhatsAppCallbackSettings.model_validate({})  # that is: from the environment
    if settings.app_secret is None:
        return None
    token = settings.verify_token.get_secret_value() if settings.verify_token else None
    return WhatsAppReceiver(settings.app_secret.get_secret_value().encode(), token)


CALLBACK: Final = Callback(
    name=ProviderName.WHATSAPP.value,
    body_limit=3_000_000,
    challenged=True,
    settings=WhatsAppCallbackSettings,
    open=_open,
)
