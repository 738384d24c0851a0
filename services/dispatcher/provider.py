"""What every messaging provider is to the dispatcher: one value, one call, one of five outcomes.

A provider translates `OutgoingMessage` to its own wire format and its reply to an `Outcome`
(`shared.domain.outcome`). It decides nothing else: retries, parking and history belong to the domain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from services.dispatcher.deadline import until
from shared.domain.outcome import Outcome, Unknown
from shared.domain.receipt import Report
from shared.domain.recipient import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CALL_TIMEOUT: Final = 10.0
"""Seconds that one provider call may take in all (`reliability.md` e.5 of the design notes)."""


class Idempotency(StrEnum):
    """What a provider does with a call that is repeated after an answer was lost."""

    KEY = "key"
    """It honours a key: the same key again is the same message."""
    NONE = "none"
    """It may send twice: an unanswered call must never be repeated blindly."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message as the dispatcher hands it to a provider."""

    account_id: UUID
    reminder_id: UUID
    external_id: str
    """The caller's own id of the reminder, or the reminder's id where the caller gave none."""
    occurrence_id: UUID
    attempt_id: UUID
    idempotency_key: str
    """The same for every repeat of an attempt that may have been taken (`shared.domain.occurrence`)."""
    scheduled_for: datetime
    """Aware, UTC: the planned time, which retries never move."""
    channel: Channel
    to: str
    """E.164 with its plus, or an e-mail address."""
    template: str | None
    """The template's name as the provider knows it, or None for a plain text."""
    language: str | None
    parameters: Sequence[str]
    text: str | None
    """The rendered text, where a template is registered or the caller gave a text."""
    subject: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a provider has, and that may be the one that was looked for."""

    message_id: str
    report: Report
    """How far it came."""
    created_at: datetime
    code: str | None = None
    """The provider's own code, where it failed."""


LookUp = Callable[[OutgoingMessage, datetime], Awaitable["Sequence[Found] | None"]]
"""Asks a provider for a message whose call began at that time and whose answer was lost.

All that fit are returned, nearest first; None where the provider could not be asked, or could not tell ours from
others. Raises nothing for anything a provider or a network can do.
"""


class Provider(Protocol):
    """One messaging provider, ready to be called from many tasks at once."""

    # Properties, so that a frozen class or a class variable can answer them.
    @property
    def name(self) -> str:
        """The word that chooses it in the settings."""
        ...

    @property
    def idempotency(self) -> Idempotency:
        """What it does with a repeated call."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """What it carries."""
        ...

    @property
    def needs_text(self) -> frozenset[Channel]:
        """Channels on which a template that is not registered here cannot be sent (Twilio SMS, SMTP)."""
        ...

    @property
    def look_up(self) -> LookUp | None:
        """How it is asked for a message whose answer was lost; None where it cannot be."""
        ...

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Make one call and say what came of it.

        Raises nothing for anything a provider or a network can do; an exception is a bug of ours.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


async def call(provider: Provider, message: OutgoingMessage, *, timeout: float = CALL_TIMEOUT) -> Outcome:
    """Call `provider`, bounded by `timeout` seconds; running out of time is `Unknown`."""
    try:
        async with until(asyncio.get_running_loop().time() + timeout):
            return await provider.send(message)
    except TimeoutError:
        return Unknown(f"no answer within {timeout:g} s")
