"""Erasing a person: what is to be found of them beside their contact, and removed with it (B-129)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from shared.domain.reminder import Status
from shared.store.contact_upkeep import Owned
from shared.store.database import Connection

_REMINDERS: Final = """
select id, configuration_id, door, status from reminders r
where id in (
    select id from reminders where account_id = $1 and contact_id = $2
    union select id from reminders where account_id = $1 and address = $3 and door <> 'crm'
    union select id from reminders
    where account_id = $1 and channel = 'email' and lower(address) = lower($4) and door <> 'crm')
order by id for update
"""


async def reminders(
    tx: Connection, *, account_id: UUID, contact_id: UUID, phone: str | None, email: str | None
) -> list[Owned]:
    """The contact's reminders, and those of any door to its addresses, locked.

    Those of the CRM door go to the account's own user: of them only those about this contact.
    """
    rows = await tx.fetch(_REMINDERS, account_id, contact_id, phone, email)
    return [Owned(**{**dict(row), "status": Status(row["status"])}) for row in rows]


_DELIVERIES: Final = "delete from deliveries where account_id = $1 and subject = any($2)"

_SANDBOX: Final = """
delete from sandbox_messages where account_id = $1 and (reminder_id = any($2) or lower(address) = any($3))
"""


async def forget(tx: Connection, subjects: Sequence[UUID], addresses: Sequence[str], *, account_id: UUID) -> None:
    """Remove the webhook deliveries about these subjects, sent or not, and what the sandbox was given for them.

    `subjects` are the ids of the contact and of its reminders, `addresses` its phone and its e-mail.
    """
    await tx.execute(_DELIVERIES, account_id, list(subjects))
    await tx.execute(_SANDBOX, account_id, list(subjects), [address.lower() for address in addresses])
