"""SMS and WhatsApp through Twilio's Messages API.

Creating a message is not idempotent and takes no key (twilio.com/docs/api/errors/20500), so an answer that
leaves a doubt is `Unknown`. A 429 is never processed (…/errors/20429) and so is definite. Every other answer
is read by Twilio's own numeric code first (…/docs/api/errors), by its HTTP status only without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import aiohttp
import orjson
from pydantic import AnyHttpUrl, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from services.dispatcher.http_call import Answer, HttpCaller, NoAnswer, NotSent
from services.dispatcher.provider import Found, Idempotency, OutgoingMessage
from services.dispatcher.registration import Registration, Resources, settings_config
from services.dispatcher.timeouts import Timeouts
from services.dispatcher.twilio_list import found_in, question
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.provider import OPTED_OUT, ProviderName, clean_message_id
from shared.domain.recipient import Channel

_OPTED_OUT: Final = OPTED_OUT[ProviderName.TWILIO]
_SLOW_DOWN: Final = frozenset({14107, 20429, 21611, 30001, 60728, 63017, 63018, 63038})
_OUR_ACCOUNT: Final = frozenset({10001, 20003, 20005, 20404, 30002})
"""Codes that say that our account or its credentials are at fault, whatever the message was."""

_REASONS: Final = {
    21211: "the number is not a valid one",
    21217: "the number is not a valid one",
    21408: "the account may not send to this country",
    21606: "the sender cannot send messages",
    21608: "a trial account may send to verified numbers only",
    21610: "the recipient has opted out",
    21612: "the sender cannot reach this number",
    21614: "the number cannot receive SMS",
    21617: "the text is too long",
    21635: "the number is a landline",
    21656: "the template's parameters do not fit",
    63014: "the recipient has opted out",
    63016: "outside the 24 hours' window a WhatsApp message needs a template",
    63024: "the number cannot receive WhatsApp messages",
}


class TwilioSettings(BaseSettings):
    """Settings of Twilio, `BELLTOWER_TWILIO_…`."""

    model_config = settings_config("BELLTOWER_TWILIO_")

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="The account's SID, `AC…`.")
    auth_token: SecretStr = Field(description="The account's auth token, or the secret of `API_KEY_SID`.")
    api_key_sid: str | None = Field(
        default=None,
        pattern=r"^SK[0-9a-fA-F]{32}$",
        description="An API key's SID, `SK…`, to use instead of the account's.",
    )
    sms_from: str | None = Field(default=None, description="The number, short code or name that SMS are sent from.")
    whatsapp_from: str | None = Field(
        default=None, pattern=r"^\+[1-9][0-9]{6,14}$", description="The number that WhatsApp messages are sent from."
    )
    messaging_service_sid: str | None = Field(
        default=None,
        pattern=r"^MG[0-9a-fA-F]{32}$",
        description="A Messaging Service to send from where no number is set.",
    )
    status_callback_url: AnyHttpUrl | None = Field(
        default=None,
        description="Where Twilio reports what became of a message, if not at /callbacks/twilio of the public URL; "
        "`attempt=<id>&occurrence=<id>` is added to it.",
    )
    api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.twilio.com"), description="Twilio's address, for tests."
    )

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if not (self.sms_from or self.whatsapp_from or self.messaging_service_sid):
            raise ValueError("one of SMS_FROM, WHATSAPP_FROM and MESSAGING_SERVICE_SID is needed")
        return self


@dataclass(frozen=True, slots=True)
class TwilioProvider:
    """One Twilio account."""

    settings: TwilioSettings
    caller: HttpCaller

    name: ClassVar[str] = "twilio"
    idempotency: ClassVar[Idempotency] = Idempotency.NONE
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS, Channel.WHATSAPP})
    needs_text: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})

    @classmethod
    def create(cls, settings: TwilioSettings, timeouts: Timeouts | None = None) -> TwilioProvider:
        """A provider with connections of its own, a fresh one per message."""
        return cls(settings, HttpCaller(timeouts or Timeouts()))

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Create one Message resource."""
        form = message_form(self.settings, message)
        if isinstance(form, Rejected):
            return form
        match await self.caller.post(self._url(), urlencode(form).encode(), self._headers()):
            case NotSent(reason, code):
                return Failed(reason, code)
            case NoAnswer(reason, code):
                return Unknown(reason, code)
            case Answer() as answer:
                return outcome_of(answer)

    async def look_up(self, message: OutgoingMessage, began_at: datetime) -> Sequence[Found] | None:
        """Ask Twilio's list of messages; it shows no callback URL, so ours is known by number, text and time."""
        form = message_form(self.settings, message)
        if isinstance(form, Rejected) or "Body" not in form:
            return None  # what Twilio makes of a template is not known here
        answer = await self.caller.get(f"{self._url()}?{question(form, began_at)}", self._headers())
        return found_in(answer, form, began_at) if isinstance(answer, Answer) else None

    async def close(self) -> None:
        """Give back connections."""
        await self.caller.close()

    def _url(self) -> str:
        base = str(self.settings.api_url).rstrip("/")
        return f"{base}/2010-04-01/Accounts/{quote(self.settings.account_sid)}/Messages.json"

    def _headers(self) -> dict[str, str]:
        user = self.settings.api_key_sid or self.settings.account_sid
        password = self.settings.auth_token.get_secret_value()
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": aiohttp.encode_basic_auth(user, password, encoding="utf-8"),
        }


def message_form(settings: TwilioSettings, message: OutgoingMessage) -> dict[str, str] | Rejected:
    """The form of one message; a rejection of our own where it cannot be said to Twilio."""
    prefix = "whatsapp:" if message.channel is Channel.WHATSAPP else ""
    sender = settings.whatsapp_from if prefix else settings.sms_from
    form = {"To": prefix + message.to}
    if sender:
        form["From"] = prefix + sender
    elif settings.messaging_service_sid:
        form["MessagingServiceSid"] = settings.messaging_service_sid
    else:
        return Rejected(f"no sender is set for {message.channel.value}")
    if prefix and message.template is not None and message.template.startswith("HX"):
        form["ContentSid"] = message.template
        variables = {str(number): value for number, value in enumerate(message.parameters, 1)}
        if variables:
            form["ContentVariables"] = orjson.dumps(variables).decode()
    elif message.text:
        form["Body"] = message.text
    else:
        return Rejected("the template is no Content SID (HX…) and has no text" if prefix else "no text to send")
    if settings.status_callback_url is not None:
        form["StatusCallback"] = _tagged(str(settings.status_callback_url), message)
    return form


def _tagged(url: str, message: OutgoingMessage) -> str:
    """The callback address with our own ids on it: an unanswered call can be recognised by them later."""
    parts, ours = urlsplit(url), [("attempt", str(message.attempt_id)), ("occurrence", str(message.occurrence_id))]
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *ours])
    return urlunsplit(parts._replace(query=query))


def outcome_of(answer: Answer) -> Outcome:
    """What an answer of Twilio means; pure, so that the whole table can be tested."""
    body = answer.json()
    if 200 <= answer.status < 300:
        sid = clean_message_id(body.get("sid"))
        error = body.get("error_code")
        if isinstance(error, int) and body.get("status") in {"failed", "undelivered", "canceled"}:
            return _by_code(error, answer) or Rejected("Twilio gave the message up at once", str(error))
        return Accepted(sid) if sid else Unknown("Twilio's answer could not be read", str(answer.status))
    code = body.get("code")
    if isinstance(code, int) and answer.status < 500 and (outcome := _by_code(code, answer)):
        return outcome
    return _by_status(answer, str(code if isinstance(code, int) else answer.status))


def _by_code(code: int, answer: Answer) -> Outcome | None:
    if code in _SLOW_DOWN:
        return Failed("Twilio asked us to slow down", str(code), answer.retry_after, counts=False)
    if code in _OUR_ACCOUNT:
        return Unavailable("Twilio refused our account", str(code))
    if code in _REASONS:
        return Rejected(_REASONS[code], str(code), opted_out=code in _OPTED_OUT)
    return None


def _by_status(answer: Answer, code: str) -> Outcome:
    match answer.status:
        case 429:
            return Failed("Twilio asked us to slow down", code, answer.retry_after, counts=False)
        case 401 | 403:
            return Unavailable("Twilio refused our credentials", code)
        case status if 400 <= status < 500 and status != 408:
            return Rejected("Twilio rejected the message", code)
        case _:
            return Unknown("Twilio failed; the message may have been taken", code)


def _open(resources: Resources) -> TwilioProvider:
    settings = TwilioSettings.model_validate({})  # that is: from the environment
    own = resources.callback_url(TwilioProvider.name)
    if settings.status_callback_url is None and own is not None:
        settings = settings.model_copy(update={"status_callback_url": AnyHttpUrl(own)})
    return TwilioProvider.create(settings, resources.timeouts)


REGISTRATION = Registration(
    name=TwilioProvider.name,
    channels=TwilioProvider.channels,
    idempotency=TwilioProvider.idempotency,
    needs_text=TwilioProvider.needs_text,
    settings=TwilioSettings,
    open=_open,
)
