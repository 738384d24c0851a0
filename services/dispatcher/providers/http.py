"""Any JSON gateway that honours an `Idempotency-Key`: the provider to write an adapter of one's own behind.

Wire format: `docs/providers.md`. 2xx accepts and 4xx rejects, but 401 and 403 (our credentials), 408, 409 and 425
(try again) and 429 (slow down). Because the gateway honours keys, every answer that leaves a doubt is a failure
to be repeated under the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

import orjson
from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings

from services.dispatcher.http_call import Answer, HttpCaller, NoAnswer, NotSent
from services.dispatcher.provider import Idempotency, OutgoingMessage
from services.dispatcher.registration import Registration, Resources, settings_config
from services.dispatcher.timeouts import Timeouts
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable
from shared.domain.provider import clean_message_id
from shared.domain.recipient import Channel


class HttpSettings(BaseSettings):
    """Settings of the generic HTTP provider, `BELLTOWER_HTTP_PROVIDER_…`."""

    model_config = settings_config("BELLTOWER_HTTP_PROVIDER_")

    url: AnyHttpUrl = Field(description="The address that every message is POSTed to as JSON.")
    token: SecretStr | None = Field(
        default=None, description="Sent as `Authorization: Bearer …` with every message; none by default."
    )
    connections: int = Field(
        default=2000,
        ge=1,
        le=10_000,
        description="Connections to the gateway at once; fewer than BELLTOWER_SEND_CONCURRENCY makes calls wait.",
    )


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """One gateway."""

    settings: HttpSettings
    caller: HttpCaller

    name: ClassVar[str] = "http"
    idempotency: ClassVar[Idempotency] = Idempotency.KEY
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    needs_text: ClassVar[frozenset[Channel]] = frozenset()
    look_up: ClassVar[None] = None

    @classmethod
    def create(cls, settings: HttpSettings, timeouts: Timeouts | None = None) -> HttpProvider:
        """A provider with connections of its own."""
        return cls(settings, HttpCaller(timeouts or Timeouts(), reuse=True, limit=settings.connections))

    async def send(self, message: OutgoingMessage) -> Outcome:
        """POST `message` once."""
        match await self.caller.post(str(self.settings.url), _body(message), self._headers(message)):
            case NotSent(reason, code):
                return Failed(reason, code)
            case NoAnswer(reason, code):
                return Failed(reason, code, ambiguous=True)
            case Answer() as answer:
                return outcome_of(answer)

    async def close(self) -> None:
        """Give back connections."""
        await self.caller.close()

    def _headers(self, message: OutgoingMessage) -> dict[str, str]:
        planned = message.scheduled_for.astimezone(UTC).isoformat(timespec="microseconds")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.idempotency_key,
            "Belltower-Occurrence": str(message.occurrence_id),
            "Belltower-Scheduled-At": planned.replace("+00:00", "Z"),
        }
        if self.settings.token is not None:
            headers["Authorization"] = f"Bearer {self.settings.token.get_secret_value()}"
        return headers


def _body(message: OutgoingMessage) -> bytes:
    return orjson.dumps(
        {
            "id": message.external_id,
            "occurrence_id": str(message.occurrence_id),
            "channel": message.channel.value,
            "to": message.to,
            "template": message.template,
            "language": message.language,
            "parameters": list(message.parameters),
            "text": message.text,
            "subject": message.subject,
        }
    )


def outcome_of(answer: Answer) -> Outcome:
    """What an answer of the gateway means; pure, so that the whole table can be tested."""
    code = str(answer.status)
    match answer.status:
        case status if 200 <= status < 300:
            body = answer.json()
            return Accepted(clean_message_id(body.get("id")) or clean_message_id(body.get("message_id")))
        case 401 | 403:
            return Unavailable("the gateway refused our credentials", code)
        case 429:
            return Failed("the gateway asked us to slow down", code, answer.retry_after, counts=False)
        case 425:
            return Failed("the gateway was not ready for the message", code, answer.retry_after)
        case 409:
            # The first call under this key still runs, and may well be taken: `docs/decisions/0010`.
            return Failed("the gateway is still busy with this key", code, answer.retry_after, ambiguous=True)
        case status if 400 <= status < 500 and status != 408:
            return Rejected("the gateway rejected the message", code)
        case _:
            # 408, 5xx, and a redirect, which is not followed: it may have been taken before this was said.
            return Failed("the gateway failed", code, answer.retry_after, ambiguous=True)


def _open(resources: Resources) -> HttpProvider:
    settings = HttpSettings.model_validate({})  # that is: from the environment
    return HttpProvider.create(settings, resources.timeouts)


REGISTRATION = Registration(
    name=HttpProvider.name,
    channels=HttpProvider.channels,
    idempotency=HttpProvider.idempotency,
    needs_text=HttpProvider.needs_text,
    settings=HttpSettings,
    open=_open,
)
