"""What the tests of the webhook routes share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from conftest import Door

GOOD = {
    "name": "My CRM sync",
    "target_url": "https://example.com/webhook",
    "event_types": ["contact.created", "contact.updated", "contact.deleted"],
}


async def create(door: Door, **changes: Any) -> dict[str, Any]:
    status, body = await door.call("POST", "/v1/webhooks", {**GOOD, **changes})
    assert status == 201, body
    made: dict[str, Any] = body
    return made


async def deliveries(door: Door, *states: str, endpoint: str) -> None:
    """Put deliveries in these states there."""
    for state in states:
        await door.execute(
            """insert into deliveries (id, account_id, endpoint_id, event_id, event_type, subject, body, state, attempt,
                   due_at, created_at, ended_at)
               values (gen_random_uuid(), $1, $2, gen_random_uuid(), 'message.sent', gen_random_uuid(), '{"id": 1}', $3,
                   8, now(), now(), case when $3 in ('delivered', 'exhausted') then now() end)""",
            door.account.account_id,
            UUID(endpoint),
            state,
        )
