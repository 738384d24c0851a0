"""An agent's configurations: create, change, pause, resume, remove, count (C-1 to C-3, C-8, C-10)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.core.credentials import create_key_pair
from shared.domain.account import DEFAULT_NAME, RESERVED_AGENT_IDS, Configuration
from shared.domain.refusal import Conflict, Invalid, NotFound, Problem
from shared.store import configurations as store
from shared.store import endpoints, numbers, occurrences
from shared.store.configurations import Details
from shared.store.database import Connection
from shared.store.numbers import Numbers

__all__ = [
    "Details",
    "NewConfiguration",
    "Numbers",
    "count_reminders",
    "create_configuration",
    "delete_configuration",
    "get_configuration",
    "get_configuration_by_row",
    "is_name",
    "list_configurations",
    "set_running",
    "update_configuration",
    "webhook_urls",
]


@dataclass(frozen=True, slots=True)
class NewConfiguration:
    """With its two keys in the clear, once."""

    id: UUID
    agent_id: str
    configuration_id: str
    primary_key: str
    secondary_key: str


async def create_configuration(
    tx: Connection,
    *,
    account_id: UUID,
    agent_id: str,
    configuration_id: str | None = None,
    details: Details,
    now: datetime | None = None,
) -> NewConfiguration:
    """A new configuration; without a `configuration_id` it gets one that cannot be guessed.

    Raises `Invalid` for an agent's name that is a word of our paths, `Conflict` where the account has both names.
    """
    names = (("agent_id", agent_id), ("configuration_id", configuration_id or "x"))
    problems = [Problem(field, "1 to 255 printable characters without /") for field, name in names if not is_name(name)]
    if agent_id in RESERVED_AGENT_IDS:
        problems.append(Problem("agent_id", f"may not be one of {', '.join(sorted(RESERVED_AGENT_IDS))}", "reserved"))
    if problems:
        raise Invalid(problems)
    chosen = configuration_id or f"cfg_{secrets.token_urlsafe(16)}"
    id = await store.insert(
        tx, account_id=account_id, agent_id=agent_id, configuration_id=chosen, details=details, now=now
    )
    if id is None:
        raise Conflict("configuration_exists", "there is a configuration of that name")
    primary, secondary = await create_key_pair(tx, account_id=account_id, configuration_id=id, now=now)
    return NewConfiguration(id, agent_id, chosen, primary, secondary)


def is_name(text: str) -> bool:
    """Whether `text` can stand as one segment of a path."""
    return 1 <= len(text) <= 255 and text.isprintable() and "/" not in text and text not in {".", ".."}


async def get_configuration(
    db: Connection, *, account_id: UUID, agent_id: str = DEFAULT_NAME, configuration_id: str = DEFAULT_NAME
) -> Configuration:
    """Raises `NotFound`."""
    found = await store.get(db, account_id=account_id, agent_id=agent_id, configuration_id=configuration_id)
    if found is None:
        raise NotFound("configuration")
    return found


async def get_configuration_by_row(db: Connection, *, account_id: UUID, id: UUID) -> Configuration:
    """By its row's id. Raises `NotFound`."""
    found = await store.get_by_row(db, account_id=account_id, id=id)
    if found is None:
        raise NotFound("configuration")
    return found


async def list_configurations(db: Connection, *, account_id: UUID) -> list[Configuration]:
    """Oldest first; the account's default leads."""
    return await store.list_all(db, account_id=account_id)


async def update_configuration(
    tx: Connection, configuration: Configuration, details: Details, *, now: datetime
) -> Configuration:
    """Change name, channel, zone or overrides; reminders that exist keep their channel and instants."""
    account_id = configuration.account_id
    await store.update(tx, account_id=account_id, id=configuration.id, details=details, now=now)
    return await get_configuration_by_row(tx, account_id=configuration.account_id, id=configuration.id)


async def set_running(tx: Connection, configuration: Configuration, *, running: bool, now: datetime) -> Configuration:
    """Pause or resume: while paused, what falls due waits; on resume the misfire rule decides (B-265, C-8)."""
    state = "running" if running else "paused"
    await store.set_state(tx, account_id=configuration.account_id, id=configuration.id, state=state, now=now)
    if running:
        await occurrences.ring(tx)
    return await get_configuration_by_row(tx, account_id=configuration.account_id, id=configuration.id)


async def delete_configuration(tx: Connection, configuration: Configuration) -> None:
    """Remove it with keys, templates and ended reminders.

    Raises `Conflict` for the account's default one, and while any of its reminders is active or being sent.
    """
    if configuration.agent_id == configuration.configuration_id == DEFAULT_NAME:
        raise Conflict("default_configuration", "the default configuration stays with its account")
    account_id = configuration.account_id
    await store.lock(tx, account_id=account_id, id=configuration.id)
    busy = await numbers.busy(tx, account_id=account_id, configuration_id=configuration.id)
    if busy:
        raise Conflict(
            "configuration_in_use", "it has reminders that are not over; cancel or delete them first", {"active": busy}
        )
    await store.delete(tx, account_id=account_id, id=configuration.id)


async def webhook_urls(db: Connection, *, account_id: UUID) -> dict[UUID, str]:
    """The webhook URL of each configuration that has one, by its row's id (C-3)."""
    found = await endpoints.list_(db, account_id=account_id)
    return {e.configuration_id: e.target_url for e in found if e.configuration_id is not None}


async def count_reminders(db: Connection, configuration: Configuration, *, now: datetime) -> Numbers:
    """The numbers of C-10."""
    return await numbers.count(db, account_id=configuration.account_id, configuration_id=configuration.id, now=now)
