"""WhatsApp through Meta's Cloud API: template messages with parameters and a language.

The API takes no idempotency key. `biz_opaque_callback_data` (at most 512 characters) comes back in status
webhooks and carries the attempt's and the occurrence's ids, by which an unanswered call can be resolved later.
Errors are told apart by Meta's `error.code`, which Meta recommends over texts and HTTP statuses
(developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes); by status only where there is no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

import orjson
from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings

from services.dispatcher.http_call import Answer, HttpCaller, NoAnswer, NotSent
from services.dispatcher.provider import Idempotency, OutgoingMessage
from services.dispatcher.registration import Registration, Resources, settings_config
from services.dispatcher.timeouts import Timeouts
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.provider import OPTED_OUT, ProviderName, clean_message_id
from shared.domain.receipt import reference
from shared.domain.recipient import Channel

_SLOW_DOWN: Final = frozenset({4, 80007, 130429, 131048, 131056})
_NOT_NOW: Final = frozenset({131057, 133004})
"""Refused because of maintenance: not sent, worth another try."""
_OUR_ACCOUNT: Final = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 131045, 133010, *range(200, 300)})
"""Token, permission, registration, payment or account lock: every message would be refused."""
_IN_DOUBT: Final = frozenset({1, 2, 131000, 131016})
"""Meta's own server errors; nothing says whether the message was taken before."""
_OPTED_OUT: Final = OPTED_OUT[ProviderName.WHATSAPP]

_REASONS: Final = {
    100: "a parameter of the request is not valid",
    130472: "Meta keeps this number out of such messages",
    130497: "the account may not send to this country",
    131008: "a required parameter is missing",
    131009: "a parameter's value is not valid",
    131021: "sender and recipient are the same number",
    131026: "the number cannot receive WhatsApp messages",
    131047: "outside the 24 hours' window a template is needed",
    131049: "Meta chose not to deliver the message",
    131050: "the recipient has opted out",
    131051: "Meta does not support this kind of message",
    132000: "the number of parameters does not fit the template",
    132001: "the template does not exist in this language",
    132005: "the filled-in template is too long",
    132007: "the template breaks Meta's rules",
    132012: "a parameter does not fit the template",
    132015: "the template is paused",
    132016: "the template is disabled",
}


class WhatsAppSettings(BaseSettings):
    """Settings of the WhatsApp Cloud API, `BELLTOWER_WHATSAPP_…`."""

    model_config = settings_config("BELLTOWER_WHATSAPP_")

    phone_number_id: str = Field(pattern=r"^[0-9]{1,32}$", description="Meta's id of the sending number.")
    access_token: SecretStr = Field(description="A system user's access token with `whatsapp_business_messaging`.")
    language: str = Field(
        default="en",
        pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$",
        description="The template's language where a reminder names none.",
    )
    api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"), description="Meta's address, for tests."
    )
    api_version: str = Field(default="v23.0", pattern=r"^v[0-9]+\.[0-9]+$", description="The Graph API's version.")


@dataclass(frozen=True, slots=True)
class WhatsAppProvider:
    """One sending number."""

    settings: WhatsAppSettings
    caller: HttpCaller

    name: ClassVar[str] = "whatsapp"
    idempotency: ClassVar[Idempotency] = Idempotency.NONE
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.WHATSAPP})
    needs_text: ClassVar[frozenset[Channel]] = frozenset()
    look_up: ClassVar[None] = None

    @classmethod
    def create(cls, settings: WhatsAppSettings, timeouts: Timeouts | None = None) -> WhatsAppProvider:
        """A provider with connections of its own, a fresh one per message."""
        return cls(settings, HttpCaller(timeouts or Timeouts()))

    async def send(self, message: OutgoingMessage) -> Outcome:
        """POST one message."""
        body = message_body(self.settings, message)
        if isinstance(body, Rejected):
            return body
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.settings.access_token.get_secret_value()}",
        }
        match await self.caller.post(self._url(), orjson.dumps(body), headers):
            case NotSent(reason, code):
                return Failed(reason, code)
            case NoAnswer(reason, code):
                return Unknown(reason, code)
            case Answer() as answer:
                return outcome_of(answer)

    async def close(self) -> None:
        """Give back connections."""
        await self.caller.close()

    def _url(self) -> str:
        base = str(self.settings.api_url).rstrip("/")
        return f"{base}/{self.settings.api_version}/{quote(self.settings.phone_number_id)}/messages"


def message_body(settings: WhatsAppSettings, message: OutgoingMessage) -> dict[str, Any] | Rejected:
    """One message in Meta's words; a rejection of our own where there is neither template nor text."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        # With its plus: without one, Meta may put the sender's own country code in front.
        "to": message.to,
        "biz_opaque_callback_data": reference(message.occurrence_id, message.attempt_id),
    }
    if message.template is not None:
        template: dict[str, Any] = {
            "name": message.template,
            "language": {"code": (message.language or settings.language).replace("-", "_")},
        }
        if message.parameters:
            parameters = [{"type": "text", "text": value} for value in message.parameters]
            template["components"] = [{"type": "body", "parameters": parameters}]
        return body | {"type": "template", "template": template}
    if message.text:
        return body | {"type": "text", "text": {"preview_url": False, "body": message.text}}
    return Rejected("neither a template nor a text to send")


def outcome_of(answer: Answer) -> Outcome:
    """What an answer of Meta means; pure, so that the whole table can be tested."""
    body = answer.json()
    error = body.get("error")
    if isinstance(error, dict):  # also inside a 200
        code = error.get("code")
        if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
            code = int(code)
        if isinstance(code, int):
            return _by_code(code, answer)
    if 200 <= answer.status < 300:
        message_id = _first_message_id(body.get("messages"))
        return Accepted(message_id) if message_id else Unknown("Meta's answer could not be read", str(answer.status))
    return _by_status(answer, str(answer.status))


def _first_message_id(messages: object) -> str | None:
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return clean_message_id(messages[0].get("id"))
    return None


def _by_code(code: int, answer: Answer) -> Outcome:
    if code in _SLOW_DOWN:
        return Failed("Meta asked us to slow down", str(code), answer.retry_after, counts=False)
    if code in _NOT_NOW:
        return Failed("Meta is in maintenance", str(code), answer.retry_after)
    if code in _OUR_ACCOUNT:
        return Unavailable("Meta refused our account or its token", str(code))
    if code in _REASONS:
        return Rejected(_REASONS[code], str(code), opted_out=code in _OPTED_OUT)
    if code in _IN_DOUBT:
        return Unknown("Meta failed; the message may have been taken", str(code))
    return _by_status(answer, str(code))


def _by_status(answer: Answer, code: str) -> Outcome:
    match answer.status:
        case 429:
            return Failed("Meta asked us to slow down", code, answer.retry_after, counts=False)
        case 401 | 403:
            return Unavailable("Meta refused our credentials", code)
        case status if 400 <= status < 500 and status != 408:
            return Rejected("Meta rejected the message", code)
        case _:
            return Unknown("Meta failed; the message may have been taken", code)


def _open(resources: Resources) -> WhatsAppProvider:
    settings = WhatsAppSettings.model_validate({})  # that is: from the environment
    return WhatsAppProvider.create(settings, resources.timeouts)


REGISTRATION = Registration(
    name=WhatsAppProvider.name,
    channels=WhatsAppProvider.channels,
    idempotency=WhatsAppProvider.idempotency,
    needs_text=WhatsAppProvider.needs_text,
    settings=WhatsAppSettings,
    open=_open,
)
