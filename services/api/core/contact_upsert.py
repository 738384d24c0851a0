"""One write for a person who may be known or not: found by phone or e-mail, changed or added, and enrolled (B-099)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.api.core.contacts import add_contact, change_contact, new_contact
from services.api.core.enrollment import Enrollment, enroll
from services.api.core.policy import Core
from shared.domain.contact import Contact
from shared.domain.contact_change import ContactGiven, changed_by
from shared.domain.refusal import Conflict
from shared.store import contacts as store
from shared.store.database import Connection

__all__ = ["ContactGiven", "Upserted", "upsert_contact"]

SOURCE: Final = "campaigns"
"""What the consent ledger names this door."""

_TRIES: Final = 4
"""Of finding or adding somebody whom others add and remove at the same time."""


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of the contact."""

    contact: Contact
    created: bool
    enrollments: Sequence[Enrollment]
    """In the order that the caller named the campaigns."""


async def upsert_contact(
    tx: Connection,
    core: Core,
    *,
    account_id: UUID,
    account_zone: str,
    phone: str | None,
    email: str | None,
    given: ContactGiven,
    campaign_ids: Sequence[UUID],
    now: datetime,
) -> Upserted:
    """Change the contact with this phone or e-mail, or add one, and enrol it: all of it or nothing.

    Raises `Invalid`; `Conflict` where phone and e-mail are of two people (B-106); `NotFound` for a campaign (B-111).
    """
    for _ in range(_TRIES):
        found = await store.hold(tx, account_id=account_id, phone=phone, email=email)
        if len(found) > 1:
            break
        if found:
            wanted = changed_by(found[0], given, account_zone=account_zone)
            written: Contact | None = await change_contact(tx, core, found[0], wanted, source=SOURCE, now=now)
        else:
            fresh = changed_by(new_contact(account_id, now=now), given, account_zone=account_zone)
            written = await add_contact(tx, fresh, source=SOURCE, now=now)
        if written is not None:
            enrollments = await _enroll(tx, core, written, campaign_ids, now=now)
            return Upserted(written, not found, enrollments)
    raise Conflict("identifier_conflict", "the phone and the e-mail are of different contacts")


async def _enroll(
    tx: Connection, core: Core, contact: Contact, campaign_ids: Sequence[UUID], *, now: datetime
) -> list[Enrollment]:
    """In the order of their ids, so that two who enrol in the same campaigns wait for each other and never both."""
    done = {
        id: await enroll(tx, core, account_id=contact.account_id, campaign_id=id, contact=contact, now=now)
        for id in sorted(set(campaign_ids))
    }
    return [done[id] for id in dict.fromkeys(campaign_ids)]
