"""What a provider's callbacks are to the API: a path, a proof that they are the provider's, and a translation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.receipt import Receipt


class Forged(Exception):
    """The proof is missing or wrong: not a word of it is believed."""


class Unreadable(Exception):
    """It is the provider's, and says nothing that we understand. The same again would be no better."""


class Receiver(Protocol):
    """One provider's callbacks, with the secrets of this deployment."""

    def challenge(self, request: web.Request) -> str:
        """What to answer where the provider asks whether this is the right place. Raises `Forged`."""
        ...

    def read(self, request: web.Request, body: bytes) -> Sequence[Receipt]:
        """What a callback reports. Raises `Forged`, `Unreadable`."""
        ...


@dataclass(frozen=True, slots=True)
class Callback:
    """One line of `CALLBACKS`."""

    name: str
    """The provider's, as `BELLTOWER_PROVIDER` says it."""
    body_limit: int
    """Bytes of one callback, at the most."""
    challenged: bool
    """Whether the provider asks with a GET before it calls."""
    settings: type[BaseSettings]
    open: Callable[[str | None], Receiver | None]
    """Reads the settings; is given the public URL of the API. None where they do not tell enough to check a callback.

    Raises `pydantic.ValidationError` where they are wrong.
    """

    @property
    def path(self) -> str:
        return f"/callbacks/{self.name}"


def settings_config(prefix: str) -> SettingsConfigDict:
    """How these settings are read: the environment, then `.env`; an empty value is none."""
    return SettingsConfigDict(
        env_prefix=prefix, env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )


def clean_code(value: object) -> str | None:
    """A provider's code of a failure: a short number, given as one or as a text."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else None
