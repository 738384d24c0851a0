"""Keeps planned sends in step with the contacts that they are for."""

from __future__ import annotations

from datetime import datetime

from services.api.core.policy import Core
from shared.domain.contact import Contact
from shared.store import contacts as store
from shared.store.database import Connection


async def retarget(tx: Connection, contact: Contact, *, now: datetime) -> None:
    """Send what is still to be sent to a contact's new phone or e-mail."""
    await store.retarget(tx, contact, now=now)


async def rearm_contact(tx: Connection, core: Core, contact: Contact, *, now: datetime) -> None:
    """Plan the sends of a contact's enrolments anew, after its due date or what they say of it changed."""
