"""Settings of the SMTP provider, and the one URL that says which server, how safely and as whom."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from services.dispatcher.registration import settings_config

_START_TLS: Final = {"required": True, "auto": None, "never": False}
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """One SMTP server."""

    host: str
    port: int
    user: str | None
    password: str | None
    implicit_tls: bool
    start_tls: bool | None
    """True: required; None: where the server offers it; False: never."""


def server_of(url: str) -> Server:
    """Read `smtp://user:password@host:port?starttls=required|auto|never` or `smtps://…`.

    STARTTLS is required where the URL has a password, else taken where it is offered: a password is never
    sent in the clear unless `starttls=never` says so. User and password are percent-encoded.

    Raises ValueError, without the URL in its text, for anything else.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError("it is not a URL") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("it must look like smtp://user:password@host:port or smtps://…")
    options = parse_qs(parts.query, keep_blank_values=True)
    implicit = parts.scheme == "smtps"
    mode = options.pop("starttls", ["required" if parts.password else "auto"])[-1]
    if options or mode not in _START_TLS:
        raise ValueError("its only option is starttls=required, auto or never")
    return Server(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit,
        start_tls=False if implicit else _START_TLS[mode],
    )


class SmtpSettings(BaseSettings):
    """Settings of the SMTP provider, `BELLTOWER_SMTP_…`."""

    model_config = settings_config("BELLTOWER_SMTP_")

    url: SecretStr = Field(
        description="The server: smtp://user:password@host:port?starttls=required|auto|never, or smtps://…"
    )
    from_address: str = Field(description="Who e-mails are from: an address, or `Name <address>`.")
    subject: str = Field(default="Reminder", min_length=1, description="The subject where a reminder names none.")

    @field_validator("url")
    @classmethod
    def _is_a_server(cls, url: SecretStr) -> SecretStr:
        server_of(url.get_secret_value())
        return url

    @field_validator("from_address", "subject")
    @classmethod
    def _fits_a_header(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("it holds a control character")
        return text

    @field_validator("from_address")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        local, _, domain = parseaddr(text)[1].rpartition("@")
        if not (local and domain and domain.isascii()):
            raise ValueError("it must be an address, or `Name <address>`, with an ASCII domain")
        return text

    @property
    def sender(self) -> str:
        """The bare address, for MAIL FROM."""
        return parseaddr(self.from_address)[1]

    @property
    def domain(self) -> str:
        """The sender's domain, for EHLO and Message-ID."""
        return self.sender.rpartition("@")[2]
