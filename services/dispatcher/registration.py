"""How a provider presents itself to `routing`: what it is called, what it carries, how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pydantic_settings import BaseSettings, SettingsConfigDict

from services.dispatcher.provider import Idempotency, OutgoingMessage, Provider
from services.dispatcher.timeouts import Timeouts
from shared.domain.recipient import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence


class SandboxStore(Protocol):
    """Where the sandbox keeps messages; a table, so that the API can list them from another process."""

    async def keep(self, message: OutgoingMessage) -> str:
        """Keep `message` and return its id; the same idempotency key again returns the first one's id."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What a provider may be given at its opening; most need only the deadlines."""

    sandbox_store: SandboxStore
    timeouts: Timeouts = field(default_factory=Timeouts)
    public_url: str | None = None
    """Where the API is found from outside: providers report to `/callbacks/<name>` below it."""

    def callback_url(self, provider: str) -> str | None:
        """Where `provider` may report."""
        return f"{self.public_url}/callbacks/{provider}" if self.public_url else None


@dataclass(frozen=True, slots=True)
class Registration:
    """One line of `PROVIDERS`."""

    name: str
    """The word that chooses it in `BELLTOWER_PROVIDER`."""
    channels: frozenset[Channel]
    idempotency: Idempotency
    needs_text: frozenset[Channel]
    settings: type[BaseSettings] | None
    """Its own settings, for help texts and for naming what is missing; None where it has none."""
    open: Callable[[Resources], Provider]
    """Reads the settings and makes the provider; opens no connection yet.

    Raises `pydantic.ValidationError` where settings are missing or wrong.
    """


class ProviderConfigurationError(Exception):
    """A chosen provider cannot be opened: the message names settings, never their values."""

    def __init__(self, provider: str, problems: Sequence[str]) -> None:
        super().__init__(f"provider {provider}: " + "; ".join(problems))
        self.provider = provider
        self.problems = tuple(problems)


def settings_config(prefix: str) -> SettingsConfigDict:
    """How every provider's settings are read: the environment, then `.env`; an empty value is none."""
    return SettingsConfigDict(
        env_prefix=prefix, env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )
