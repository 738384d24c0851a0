"""Which provider carries which channel: opens the chosen ones, and only those."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from services.dispatcher.provider import CALL_TIMEOUT, Idempotency, OutgoingMessage, Provider
from services.dispatcher.providers import PROVIDERS
from services.dispatcher.registration import ProviderConfigurationError, Registration, Resources, SandboxStore
from services.dispatcher.timeouts import Timeouts
from shared.domain.outcome import Outcome, Unavailable
from shared.domain.recipient import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_NAME: Final = {registration.name: registration for registration in PROVIDERS}


@dataclass(frozen=True, slots=True)
class _Unserved:
    """Stands in for a channel that the chosen provider does not carry: its messages wait to be mended."""

    name: str = "unserved"
    idempotency: Idempotency = Idempotency.KEY
    channels: frozenset[Channel] = field(default_factory=frozenset)
    needs_text: frozenset[Channel] = field(default_factory=frozenset)
    look_up: None = None

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send nothing."""
        return Unavailable(f"no provider is set that carries {message.channel.value}", "unserved")

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Providers:
    """The open providers of this process."""

    by_name: Mapping[str, Provider]
    by_channel: Mapping[Channel, Provider]

    @property
    def unserved(self) -> frozenset[Channel]:
        """Channels whose chosen provider does not carry them; worth a line in the log at the start."""
        return frozenset(Channel) - self.by_channel.keys()

    def for_channel(self, channel: Channel) -> Provider:
        """The provider that carries `channel`; never fails, see `unserved`."""
        return self.by_channel.get(channel) or _Unserved()

    async def close(self) -> None:
        """Give back every provider's connections."""
        for provider in self.by_name.values():
            await provider.close()


def open_providers(
    names_by_channel: Mapping[Channel, str],
    sandbox_store: SandboxStore,
    *,
    call_timeout: float = CALL_TIMEOUT,
    public_url: str | None = None,
) -> Providers:
    """Open the provider that is named for each channel, each once, and no other.

    Their own deadlines end before `call_timeout` seconds, so that they name the outcome of a slow call.

    A provider that is named for a channel it does not carry (`BELLTOWER_PROVIDER=twilio` names it for e-mail
    too) leaves that channel unserved, unless it carries none of the channels it is named for.

    Raises ProviderConfigurationError for an unknown name and for missing or wrong settings of a chosen
    provider, naming settings and never values.
    """
    chosen = {channel: _registration(name, channel) for channel, name in names_by_channel.items()}
    served = {channel: chosen[channel] for channel in chosen if channel in chosen[channel].channels}
    for registration in chosen.values():
        if registration not in served.values():
            carried = ", ".join(sorted(registration.channels))
            raise ProviderConfigurationError(registration.name, [f"it carries {carried} only"])
    resources = Resources(sandbox_store, Timeouts.within(call_timeout), public_url)
    by_name = {registration.name: _open(registration, resources) for registration in served.values()}
    return Providers(by_name, {channel: by_name[served[channel].name] for channel in served})


def _registration(name: str, channel: Channel) -> Registration:
    if name in _BY_NAME:
        return _BY_NAME[name]
    key = f"BELLTOWER_PROVIDER_{channel.name} (or BELLTOWER_PROVIDER)"
    raise ProviderConfigurationError("unknown", [f"{key} must be one of {', '.join(_BY_NAME)}"])


def _open(registration: Registration, resources: Resources) -> Provider:
    try:
        return registration.open(resources)
    except ValidationError as error:
        raise ProviderConfigurationError(registration.name, _problems(registration, error)) from None


def _problems(registration: Registration, error: ValidationError) -> list[str]:
    """One sentence per setting; pydantic's `input` and `ctx`, which hold values, are left out."""
    prefix = registration.settings.model_config.get("env_prefix", "") if registration.settings else ""
    problems = []
    for detail in error.errors(include_input=False, include_context=False, include_url=False):
        key = f"{prefix}{'_'.join(str(part) for part in detail['loc'][:1])}".upper()
        says = "is missing" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
        problems.append(f"{key.rstrip('_')} {says}" if detail["loc"] else f"{prefix}…: {says}")
    return problems
