"""Puts a provider into a situation: starts the server that makes it and points the provider there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import uuid4

import trustme
from pydantic import AnyHttpUrl, SecretStr

from services.dispatcher.provider import OutgoingMessage, Provider
from services.dispatcher.providers.http import HttpProvider, HttpSettings
from services.dispatcher.providers.sandbox import SandboxProvider
from services.dispatcher.providers.smtp import SmtpProvider
from services.dispatcher.providers.twilio import TwilioProvider, TwilioSettings
from services.dispatcher.providers.whatsapp import WhatsAppProvider, WhatsAppSettings
from services.dispatcher.smtp_settings import SmtpSettings
from services.dispatcher.timeouts import Timeouts
from shared.domain.recipient import Channel
from tests.rig.provider_behaviour import Behaviour
from tests.rig.provider_server import ProviderServer
from tests.rig.smtp_server import SmtpBehaviour, SmtpServer

TIMEOUTS: Final = Timeouts(connect=0.3, total=0.5)
PHONE, EMAIL, TEXT, TOKEN = "+15550001111", "ada@example.com", "Your appointment is at nine", "t0p-s3cret"
SECRETS: Final = (PHONE, PHONE[1:], EMAIL, TEXT, TOKEN, "wrong-password")


class Situation(StrEnum):
    """What may happen to one call."""

    ACCEPTED = "accepted"
    REJECTED = "rejected for good"
    SLOW_DOWN = "429 with Retry-After"
    UNAUTHORIZED = "401"
    SERVER_ERROR = "5xx"
    REFUSED = "connection refused"
    DNS = "unknown host name"
    TLS = "untrusted certificate"
    TIMEOUT_BEFORE = "timeout before the request was written"
    TIMEOUT_AFTER = "timeout after the request was written"
    RESET_AFTER = "reset after the request was read"
    NOT_HTTP = "an answer in no known protocol"
    HTML = "HTML"
    EMPTY = "empty body"
    TRUNCATED = "truncated JSON"
    CUT_OFF = "body cut off"
    HUGE = "10 MB body"
    GZIP_BOMB = "gzip bomb"
    SLOW_BODY = "slow body"
    ERROR_INSIDE = "200 with an error inside"
    REDIRECT = "redirect"


_HTTP: Final = {
    Situation.ACCEPTED: Behaviour.ACCEPT,
    Situation.REJECTED: Behaviour.REJECT,
    Situation.SLOW_DOWN: Behaviour.SLOW_DOWN,
    Situation.UNAUTHORIZED: Behaviour.UNAUTHORIZED,
    Situation.SERVER_ERROR: Behaviour.FAIL_AFTER,
    Situation.TIMEOUT_AFTER: Behaviour.HANG_AFTER,
    Situation.RESET_AFTER: Behaviour.RESET_AFTER,
} | {situation: Behaviour[situation.name] for situation in list(Situation)[11:]}
_SMTP: Final = {
    Situation.ACCEPTED: SmtpBehaviour.ACCEPT,
    Situation.UNAUTHORIZED: SmtpBehaviour.ACCEPT,
    Situation.REJECTED: SmtpBehaviour.RCPT_550,
    Situation.SLOW_DOWN: SmtpBehaviour.RCPT_450,
    Situation.SERVER_ERROR: SmtpBehaviour.DATA_451,
    Situation.TIMEOUT_BEFORE: SmtpBehaviour.HANG_AT_GREETING,
    Situation.TIMEOUT_AFTER: SmtpBehaviour.HANG_AFTER_DATA,
    Situation.RESET_AFTER: SmtpBehaviour.RESET_AFTER_DATA,
    Situation.NOT_HTTP: SmtpBehaviour.GARBAGE_AFTER_DATA,
}


def message(provider: str) -> OutgoingMessage:
    """A message that `provider` can carry."""
    channels = {"smtp": Channel.EMAIL, "whatsapp": Channel.WHATSAPP}
    channel = channels.get(provider, Channel.SMS)
    occurrence = uuid4()
    return OutgoingMessage(
        account_id=uuid4(),
        reminder_id=uuid4(),
        external_id="visit-7",
        occurrence_id=occurrence,
        attempt_id=uuid4(),
        idempotency_key=f"{occurrence}:0",
        scheduled_for=datetime(2030, 1, 2, 3, 4, 5, 678, UTC),
        channel=channel,
        to=EMAIL if channel is Channel.EMAIL else PHONE,
        template="visit",
        language="en_GB",
        parameters=["Ada", "nine"],
        text=TEXT,
        subject="Your visit",
    )


class KeptInMemory:
    """A sandbox store for tests of the provider alone."""

    def __init__(self) -> None:
        self.by_key: dict[str, str] = {}
        self.broken = False

    async def keep(self, message: OutgoingMessage) -> str:
        """Keep `message` under its key."""
        if self.broken:
            raise ConnectionError(f"no database for {message.to}")
        return self.by_key.setdefault(message.idempotency_key, f"sandbox-{len(self.by_key)}")


class Bench:
    """One provider, one server, one situation."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.server = ProviderServer(retry_after="7")
        self.smtp = SmtpServer(needs_log_in=True)
        self.store = KeptInMemory()

    async def provider(self, name: str, situation: Situation) -> Provider:
        """The provider `name`, pointed at a server that is in `situation`."""
        if name == "sandbox":
            self.store.broken = situation is not Situation.ACCEPTED
            return SandboxProvider(self.store)
        made = await (self._over_smtp(situation) if name == "smtp" else self._over_http(name, situation))
        self._stack.push_async_callback(made.close)
        return made

    def heal(self) -> None:
        """End the situation."""
        self.server.default, self.smtp.behaviour, self.store.broken = Behaviour.ACCEPT, SmtpBehaviour.ACCEPT, False

    def taken(self) -> int:
        """How many messages a person would have received."""
        return len(self.server.messages) + len(self.smtp.messages) + len(self.store.by_key)

    async def _over_http(self, name: str, situation: Situation) -> Provider:
        url = AnyHttpUrl(await self._url(situation))
        match name:
            case "http":
                settings = HttpSettings(url=url, token=SecretStr(TOKEN))
                return HttpProvider.create(settings, TIMEOUTS)
            case "twilio":
                return TwilioProvider.create(twilio_settings(url), TIMEOUTS)
            case _:
                return WhatsAppProvider.create(whatsapp_settings(url), TIMEOUTS)

    async def _url(self, situation: Situation) -> str:
        match situation:
            case Situation.REFUSED:
                return f"http://127.0.0.1:{await _closed_port()}"
            case Situation.DNS:
                return "http://provider.invalid"
            case Situation.TLS:
                return f"https://localhost:{await self._stack.enter_async_context(_tls_server())}"
            case Situation.TIMEOUT_BEFORE:
                # A TCP connection, but no TLS handshake: nothing of the request can be written.
                return f"https://127.0.0.1:{await self._stack.enter_async_context(_silent_server())}"
        self.server = await self._stack.enter_async_context(ProviderServer.running(retry_after="7"))
        self.server.default = _HTTP[situation]
        return self.server.url

    async def _over_smtp(self, situation: Situation) -> Provider:
        password = "wrong-password" if situation is Situation.UNAUTHORIZED else "right"
        match situation:
            case Situation.REFUSED:
                where = f"smtp://127.0.0.1:{await _closed_port()}"
            case Situation.DNS:
                where = "smtp://mail.invalid"
            case Situation.TLS:
                where = f"smtps://localhost:{await self._stack.enter_async_context(_tls_server())}"
            case _:
                self.smtp = await self._stack.enter_async_context(SmtpServer.running(needs_log_in=True))
                self.smtp.behaviour = _SMTP[situation]
                where = f"smtp://ada:{password}@127.0.0.1:{self.smtp.port}?starttls=never"
        return SmtpProvider.create(smtp_settings(where), TIMEOUTS)


def twilio_settings(url: AnyHttpUrl) -> TwilioSettings:
    """Settings that send both channels from one number."""
    return TwilioSettings(
        account_sid="AC" + "0" * 32,
        auth_token=SecretStr(TOKEN),
        sms_from="+15550009999",
        whatsapp_from="+15550008888",
        status_callback_url=AnyHttpUrl("https://example.com/status?kind=sms"),
        api_url=url,
    )


def whatsapp_settings(url: AnyHttpUrl) -> WhatsAppSettings:
    """Settings of one sending number."""
    return WhatsAppSettings(phone_number_id="106540352242922", access_token=SecretStr(TOKEN), api_url=url)


def smtp_settings(url: str) -> SmtpSettings:
    """Settings for the server at `url`."""
    return SmtpSettings(url=SecretStr(url), from_address="Clinic <clinic@example.org>")


async def _closed_port() -> int:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


class _Silent(asyncio.Protocol):
    def __init__(self, open_ones: list[asyncio.BaseTransport]) -> None:
        self._open_ones = open_ones

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open_ones.append(transport)


@asynccontextmanager
async def _silent_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that takes connections and says nothing; yields its port."""
    open_ones: list[asyncio.BaseTransport] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Silent(open_ones), "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1]
    for transport in open_ones:
        transport.close()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)  # connections are closed in the loop's next turns


@asynccontextmanager
async def _tls_server() -> AsyncIterator[int]:
    """A server whose certificate nobody trusts; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with _silent_server(context) as port:
        yield port
