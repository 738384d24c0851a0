"""What use cases need to know of the deployment."""

from __future__ import annotations

import random as chance
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from shared.domain.account import Policy
from shared.domain.recipient import Channel
from shared.runtime.keyring import Keyring
from shared.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Core:
    """Read once, at the start."""

    keyring: Keyring
    networks: tuple[IPv4Network | IPv6Network, ...]
    """Private ranges that webhooks may reach all the same."""
    needs_text: frozenset[Channel]
    """Channels on which a reminder must name a template that is registered here."""
    policy: Policy
    """What reminders fall back to where nothing nearer to them says otherwise."""
    phone_region: str = "US"
    """The country whose phone numbers need no code."""
    allow_past_dates: bool = False
    """Whether a reminder for a single date that is over is taken (B-196)."""
    random: Callable[[], float] = chance.random

    @classmethod
    def from_settings(cls, settings: Settings) -> Core:
        """Raises `BadSettings` where there is no master key."""
        return cls(
            keyring=Keyring.from_settings(settings),
            networks=settings.webhook_networks(),
            policy=settings.policy(),
            phone_region=settings.phone_region,
            allow_past_dates=settings.allow_past_dates,
            needs_text=frozenset(
                channel for channel, provider in settings.providers().items() if channel in provider.needs_text
            ),
        )
