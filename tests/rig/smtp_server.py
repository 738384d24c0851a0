"""A real SMTP server (aiosmtpd) on a free port of 127.0.0.1 that refuses, hangs or breaks off on demand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import warnings
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class SmtpBehaviour(StrEnum):
    """What the server does with the next messages."""

    ACCEPT = "accept"
    GREET_421 = "greet_421"
    HANG_AT_GREETING = "hang_at_greeting"
    RCPT_450 = "rcpt_450"
    RCPT_550 = "rcpt_550"
    DATA_451 = "data_451"
    DATA_554 = "data_554"
    HANG_AFTER_DATA = "hang_after_data"
    RESET_AT_RCPT = "reset_at_rcpt"
    RESET_AFTER_DATA = "reset_after_data"
    GARBAGE_AT_RCPT = "garbage_at_rcpt"
    GARBAGE_AFTER_DATA = "garbage_after_data"
    SILENT_QUIT = "silent_quit"


class SmtpServer:
    """See the module."""

    def __init__(self, *, needs_log_in: bool) -> None:
        self.behaviour = SmtpBehaviour.ACCEPT
        self.messages: list[Envelope] = []
        """The messages that were taken, answered or not."""
        self.needs_log_in = needs_log_in
        self.port = 0
        self._closing = asyncio.Event()
        self._protocols: list[SMTP] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, *, needs_log_in: bool = False) -> AsyncIterator[SmtpServer]:
        """A server; with `needs_log_in` only `ada` with the password `right` may send."""
        self = cls(needs_log_in=needs_log_in)
        server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._closing.set()
            server.close()
            for protocol in self._protocols:
                if (transport := cast("asyncio.Transport | None", protocol.transport)) is not None:
                    transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0.01)  # aborted connections are closed in the loop's next turns

    def _protocol(self) -> asyncio.BaseProtocol:
        if self.behaviour is SmtpBehaviour.HANG_AT_GREETING:
            return asyncio.Protocol()
        if self.behaviour is SmtpBehaviour.GREET_421:
            return _TurnedAway()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # aiosmtpd warns of log-in without TLS, which is what is wanted here
            protocol = SMTP(
                self,
                hostname="mail.example",
                authenticator=self._authenticate,
                auth_required=self.needs_log_in,
                auth_require_tls=False,
            )
        self._protocols.append(protocol)
        return protocol

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"ada", b"right"), handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        match self.behaviour:
            case SmtpBehaviour.RCPT_450:
                return "450 4.2.0 Greylisted"
            case SmtpBehaviour.RCPT_550:
                return "550 5.1.1 No such user"
            case SmtpBehaviour.RESET_AT_RCPT:
                _reset(server)
            case SmtpBehaviour.GARBAGE_AT_RCPT:
                return "<html>Welcome</html>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the end of DATA; the message is taken unless it is refused."""
        refusals = {SmtpBehaviour.DATA_451: "451 4.3.0 Try later", SmtpBehaviour.DATA_554: "554 5.6.0 Spam"}
        if self.behaviour in refusals:
            return refusals[self.behaviour]
        self.messages.append(envelope)
        match self.behaviour:
            case SmtpBehaviour.HANG_AFTER_DATA:
                await self._closing.wait()
            case SmtpBehaviour.RESET_AFTER_DATA:
                _reset(server)
            case SmtpBehaviour.GARBAGE_AFTER_DATA:
                return "<html>Welcome</html>"
        return "250 2.0.0 OK"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        """Answer QUIT."""
        if self.behaviour is SmtpBehaviour.SILENT_QUIT:
            await self._closing.wait()
        return "221 Bye"


class _TurnedAway(asyncio.Protocol):
    """Greets with 421 and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(b"421 4.3.2 Too busy\r\n")
        transport.close()


def _reset(server: SMTP) -> None:
    # A cast, because uvloop's transports are no subclass of asyncio's.
    transport = cast("asyncio.Transport", server.transport)
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
