"""The sandbox: keeps every message for a person to look at, and sends none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.dispatcher.provider import Idempotency, OutgoingMessage
from services.dispatcher.registration import Registration, SandboxStore
from shared.domain.outcome import Accepted, Failed, Outcome
from shared.domain.recipient import Channel


@dataclass(frozen=True, slots=True)
class SandboxProvider:
    """Accepts whatever it is given, once per idempotency key."""

    store: SandboxStore

    name: ClassVar[str] = "sandbox"
    idempotency: ClassVar[Idempotency] = Idempotency.KEY
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    needs_text: ClassVar[frozenset[Channel]] = frozenset()
    look_up: ClassVar[None] = None

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Keep `message`; a store that is away is a failure to repeat under the same key."""
        try:
            return Accepted(await self.store.keep(message))
        except Exception as error:  # noqa: BLE001 - the store is this provider's network; its words stay out
            return Failed("the sandbox could not keep the message", code=type(error).__name__, ambiguous=True)

    async def close(self) -> None:
        """The store belongs to whoever made it."""


REGISTRATION = Registration(
    name=SandboxProvider.name,
    channels=SandboxProvider.channels,
    idempotency=SandboxProvider.idempotency,
    needs_text=SandboxProvider.needs_text,
    settings=None,
    open=lambda resources: SandboxProvider(resources.sandbox_store),
)
