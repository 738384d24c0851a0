"""E-mail through an SMTP server, one connection per message.

SMTP takes no key. A reply decides: 4xx is worth another try, 5xx is for good (RFC 5321, section 4.2.1), but
refused credentials. Without a reply it matters whether DATA had begun: the server may have taken a message
whose final reply was lost (RFC 1047), so from there on silence is `Unknown`. The Message-ID is the same for
every try of an occurrence, by which people and some stores recognise a twin.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import ClassVar, Final

import aiosmtplib
from aiosmtplib import SMTP

from services.dispatcher.provider import Idempotency, OutgoingMessage
from services.dispatcher.registration import Registration, Resources
from services.dispatcher.smtp_settings import Server, SmtpSettings, server_of
from services.dispatcher.timeouts import Timeouts
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.recipient import Channel

_CREDENTIALS: Final = frozenset({530, 534, 535, 538})
_LONG: Final = 20_000
_GOODBYE: Final = 0.5
"""Seconds for QUIT: good manners that must not cost an accepted message its outcome."""


@dataclass(slots=True)
class _Progress:
    """How far one call came."""

    data_began: bool = False


@dataclass(frozen=True, slots=True)
class SmtpProvider:
    """One SMTP server."""

    settings: SmtpSettings
    server: Server
    timeouts: Timeouts
    # Made once: loading the certificate store takes tens of milliseconds.
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    name: ClassVar[str] = "smtp"
    idempotency: ClassVar[Idempotency] = Idempotency.NONE
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    needs_text: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    look_up: ClassVar[None] = None

    @classmethod
    def create(cls, settings: SmtpSettings, timeouts: Timeouts | None = None) -> SmtpProvider:
        """A provider for the server that `settings` name."""
        return cls(settings, server_of(settings.url.get_secret_value()), timeouts or Timeouts())

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one e-mail."""
        mail = compose(self.settings, message)
        if isinstance(mail, Rejected):
            return mail
        progress = _Progress()
        client = self._client()
        try:
            async with asyncio.timeout(self.timeouts.total):
                await client.connect(timeout=self.timeouts.connect)
                await _hand_over(client, self.settings.sender, message.to, mail, progress)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return outcome_of(error, data_began=progress.data_began)
        else:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOODBYE)
            return Accepted(str(mail["Message-ID"]))
        finally:
            client.close()

    async def close(self) -> None:
        """Nothing is kept between messages."""

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self.server.host,
            port=self.server.port,
            username=self.server.user,
            password=self.server.password,
            use_tls=self.server.implicit_tls,
            start_tls=self.server.start_tls,
            tls_context=self.tls,
            timeout=self.timeouts.total,
            # Otherwise the library asks DNS for this machine's full name before every message.
            local_hostname=self.settings.domain,
        )


async def _hand_over(client: SMTP, sender: str, recipient: str, mail: EmailMessage, progress: _Progress) -> None:
    """MAIL, RCPT and DATA, step by step: `send_message` would send RSET after a refusal and wait for it."""
    international = not (sender + recipient).isascii()
    if international and not client.supports_extension("smtputf8"):
        raise aiosmtplib.SMTPNotSupported("no SMTPUTF8")
    options = ["SMTPUTF8"] if international else []
    encoding = "utf-8" if international else "ascii"
    await client.mail(sender, options=options, encoding=encoding)
    await client.rcpt(recipient, encoding=encoding)
    content = mail.as_bytes(policy=SMTP_POLICY.clone(utf8=international, cte_type="7bit"))
    progress.data_began = True
    await client.data(content)


def compose(settings: SmtpSettings, message: OutgoingMessage) -> EmailMessage | Rejected:
    """The e-mail; a rejection of our own where a header would break or there is nothing to say."""
    subject = message.subject or settings.subject
    if _breaks_a_header(subject) or _breaks_a_header(message.to):
        return Rejected("a control character in the subject or the address")
    if not message.text:
        return Rejected("no text to send")
    mail = EmailMessage(policy=SMTP_POLICY)
    try:
        mail["From"] = settings.from_address
        mail["To"] = Address(addr_spec=message.to)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{message.occurrence_id}@{settings.domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        # The library tries out encodings for a long text, a quarter of a second for a million characters.
        mail.set_content(message.text, cte="base64" if len(message.text) > _LONG else None)
    except (ValueError, IndexError):  # the parser of addresses raises both
        return Rejected("the address or the text cannot be written as an e-mail")
    return mail


def _breaks_a_header(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)


def outcome_of(error: Exception, *, data_began: bool) -> Outcome:
    """What an exception of the SMTP client means; pure, so that the whole table can be tested."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _by_reply(error, data_began=data_began)
    if data_began:
        return Unknown("no reply to the message came", "timeout" if isinstance(error, TimeoutError) else "reset")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Rejected("the server does not take addresses beyond ASCII", "smtputf8")
    if isinstance(error, OSError):
        return Failed(*_network(error))
    if isinstance(error, ValueError):
        return Rejected("the address cannot be written as an e-mail address")
    # STARTTLS or AUTH that is not on offer: the server or our settings, never the message.
    return Unavailable("the server does not offer the TLS or log-in that is set")


def _network(error: OSError) -> tuple[str, str]:
    """Reason and code of a call that ended before DATA."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "no trusted TLS connection could be made", "tls"
    if isinstance(error, TimeoutError):
        return "the server did not reply in time", "timeout"
    if isinstance(error.__cause__, socket.gaierror):
        return "the server's name could not be resolved", "dns"
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return "the server could not be reached", "refused"
    return "the server closed the connection before the message", "reset"


def _by_reply(error: aiosmtplib.SMTPResponseException, *, data_began: bool) -> Outcome:
    code = str(error.code)
    greeting = isinstance(error, (aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError))
    log_in = isinstance(error, aiosmtplib.SMTPAuthenticationError)
    if 400 <= error.code < 500 or (greeting and error.code >= 500):
        return Failed("the server asked to try again later", code)
    if error.code in _CREDENTIALS or (log_in and error.code >= 500):
        return Unavailable("the server refused our credentials", code)
    if 500 <= error.code < 600:
        return Rejected("the server rejected the message", code)
    if data_began:
        return Unknown("the server's reply could not be read", "garbage")
    return Failed("the server's reply could not be read", "garbage")


def _open(resources: Resources) -> SmtpProvider:
    settings = SmtpSettings.model_validate({})  # that is: from the environment
    return SmtpProvider.create(settings, resources.timeouts)


REGISTRATION = Registration(
    name=SmtpProvider.name,
    channels=SmtpProvider.channels,
    idempotency=SmtpProvider.idempotency,
    needs_text=SmtpProvider.needs_text,
    settings=SmtpSettings,
    open=_open,
)
