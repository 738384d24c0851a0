"""Twilio's status callbacks: a form, signed with HMAC-SHA1 over the URL and the form's sorted fields.

The URL is that which Twilio was given, whatever a proxy makes of it (twilio.com/docs/usage/security); that is why it is
made of a setting and of the query, and never of a header. The fields are those of
twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from aiohttp import web
from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings

from services.api.callbacks.callback import Callback, Forged, Unreadable, clean_code, settings_config
from shared.domain.provider import OPTED_OUT, ProviderName, clean_message_id
from shared.domain.receipt import Receipt, Report, read_uuid

_REPORTS: Final = {
    "accepted": Report.ACCEPTED,
    "scheduled": Report.ACCEPTED,
    "queued": Report.ACCEPTED,
    "sending": Report.ACCEPTED,
    "sent": Report.SENT,
    "delivered": Report.DELIVERED,
    "read": Report.READ,
    "undelivered": Report.UNDELIVERED,
    "failed": Report.FAILED,
    "canceled": Report.FAILED,
}
_MOST_FIELDS: Final = 200
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

Form = Mapping[str, Sequence[str]]


class TwilioCallbackSettings(BaseSettings):
    """Settings of Twilio's callbacks, `BELLTOWER_TWILIO_…`."""

    model_config = settings_config("BELLTOWER_TWILIO_")

    auth_token: SecretStr | None = Field(None, description="The account's auth token: it signs callbacks.")
    api_key_sid: str | None = Field(None, description="Where it is set, `AUTH_TOKEN` is not the account's.")
    callback_token: SecretStr | None = Field(
        None,
        description="The account's auth token, which signs status callbacks; needed by the API where AUTH_TOKEN is the "
        "secret of an API key.",
    )
    status_callback_url: AnyHttpUrl | None = Field(
        None, description="Where Twilio reports, if not at /callbacks/twilio of the public URL."
    )


@dataclass(frozen=True, slots=True)
class TwilioReceiver:
    """The callbacks of one account."""

    url: str
    """As Twilio was given it; its query is that of the request."""
    token: bytes

    def challenge(self, request: web.Request) -> str:  # noqa: ARG002 - Twilio has no such question
        """Raises `Forged`."""
        raise Forged

    def read(self, request: web.Request, body: bytes) -> Sequence[Receipt]:
        """The one report that a callback has. Raises `Forged`, `Unreadable`."""
        form = read_form(body)
        query = request.raw_path.partition("?")[2]
        given = request.headers.getall("X-Twilio-Signature", [])
        expected = [signature(self.token, url, form) for url in urls(self.url, query)]
        if len(given) != 1 or not any(_equal(one, given[0]) for one in expected):
            raise Forged
        return [receipt_of(form, dict(parse_qsl(query)))]


def read_form(body: bytes) -> dict[str, list[str]]:
    """The fields with all their values. Raises `Forged`: what is no form is not signed as one."""
    form: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise Forged from None
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def urls(configured: str, query: str) -> Iterator[str]:
    """The URL that may have been signed: senders and proxies differ about a port that goes without saying."""
    parts = urlsplit(configured)._replace(query=query, fragment="")
    host = parts.hostname or ""
    bare = f"[{host}]" if ":" in host else host
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    for netloc in dict.fromkeys([parts.netloc, bare, f"{bare}:{port}"]):
        if netloc != bare or port == _DEFAULT_PORTS[parts.scheme]:
            yield urlunsplit(parts._replace(netloc=netloc))


def signature(token: bytes, url: str, form: Form) -> str:
    """What Twilio puts in `X-Twilio-Signature`."""
    fields = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name])))
    return b64encode(hmac.new(token, f"{url}{fields}".encode(), sha1).digest()).decode()


def _equal(one: str, other: str) -> bool:
    # Of digests: the texts may differ in length, and hold what is no ASCII.
    return hmac.compare_digest(sha256(one.encode()).digest(), sha256(other.encode(errors="replace")).digest())


def receipt_of(form: Form, query: Mapping[str, str]) -> Receipt:
    """What a form reports. Raises `Unreadable`."""
    report = _REPORTS.get(_first(form, "MessageStatus") or _first(form, "SmsStatus") or "")
    message_id = clean_message_id(_first(form, "MessageSid") or _first(form, "SmsSid"))
    if report is None or message_id is None:
        raise Unreadable
    code = clean_code(_first(form, "ErrorCode"))
    return Receipt(
        provider=ProviderName.TWILIO.value,
        message_id=message_id,
        attempt_id=read_uuid(query.get("attempt")),
        occurrence_id=read_uuid(query.get("occurrence")),
        report=report,
        code=code,
        opted_out=code is not None and int(code) in OPTED_OUT[ProviderName.TWILIO],
    )


def _first(form: Form, name: str) -> str | None:
    values = form.get(name)
    return values[0] if values else None


def _open(public_url: str | None) -> TwilioReceiver | None:
    settings = TwilioCallbackSettings.model_validate({})  # that is: from the environment
    token = settings.callback_token or (None if settings.api_key_sid else settings.auth_token)
    own = f"{public_url.rstrip('/')}{CALLBACK.path}" if public_url else None
    url = str(settings.status_callback_url) if settings.status_callback_url else own
    return TwilioReceiver(url, token.get_secret_value().encode()) if url and token else None


CALLBACK: Final = Callback(
    name=ProviderName.TWILIO.value,
    body_limit=64_000,
    challenged=False,
    settings=TwilioCallbackSettings,
    open=_open,
)
