"""A tenant that owns one of everything."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID, uuid4

from services.api.core.accounts import NewAccount
from tests.builders import a_reminder, an_item, in_future
from tests.integration.api.conftest import Door

PHONE, EMAIL, NAME = "+447700900123", "canary.person@example.com", "Canaria"
WORDS = (PHONE, "7700900123", EMAIL, NAME, "canary")
"""What nobody else's answers may hold."""


@dataclass(frozen=True)
class Owned:
    """The ids of what a tenant owns, as its callers write them."""

    agent: str
    configuration: str
    template: str
    item: str
    external: str
    contact: str
    contact_number: int
    campaign: str
    message: str
    reminder: str
    opt_out: str
    endpoint: str
    delivery: str
    backfill: str
    crm_reminder: int
    appointment: str
    type: str
    parked: str

    @property
    def texts(self) -> list[str]:
        """The ids that are texts of their own, to be looked for in answers."""
        return [value for one in fields(self) if isinstance(value := getattr(self, one.name), str)]


def nobodys(like: Owned) -> Owned:
    """Ids of the same form that nothing has."""

    def other(value: str | int) -> Any:
        if isinstance(value, int):
            return value + 1_000_000
        if value.startswith("+"):
            return "+447700900999"
        try:
            UUID(value)
        except ValueError:
            return f"{value}-nobodys"
        return str(uuid4())

    return Owned(**{one.name: other(getattr(like, one.name)) for one in fields(like)})


async def settle(door: Door, account: NewAccount) -> tuple[Owned, str]:
    """Give the account one of everything, through its doors; its ids, and the key of its configuration."""

    async def made(method: str, path: str, body: Any = None, **more: Any) -> Any:
        status, answer = await door.call(method, path, body, key=account.api_key, **more)
        assert status < 300, (path, status, answer)
        return answer

    await door.execute("update accounts set owner_email = $2 where id = $1", account.account_id, EMAIL)
    own = await made("POST", "/api/reminder/configuration", {"agentId": "canary-agent", "name": "Canary"})
    where = {"agentId": own["agentId"], "configurationId": own["configurationId"]}
    at = f"/api/reminder/configuration/{where['agentId']}/{where['configurationId']}"
    await made("POST", f"{at}/templates", {"name": "canary-template", "channel": "sms", "body": "Canary {{1}}"})
    numbered = {"countryCode": "+44", "phoneNumber": "7700900123", "recipientName": NAME}
    await made("POST", "/api/reminder/item/create", an_item("canary-item", **numbered))
    path = f"/api/reminder/{where['agentId']}/{where['configurationId']}/canary-external"
    one = a_reminder(**numbered, notificationTemplateName="canary-template", templateParameters=["canary"])
    status, answer = await door.call("POST", path, one, headers={"X-Reminder-Secret": own["primaryKey"]}, key=_NONE)
    assert status == 201, answer
    person = {"phone": PHONE, "email": EMAIL, "first_name": NAME, "marketing_consent": True, "note": "canary note"}
    contact = (await made("POST", "/v1/contacts", person))["contact_id"]
    campaign = {"name": "Canary", "type": "one_off", "status": "running", "body": f"canary {NAME}"}
    campaign_id = (await made("POST", "/v1/campaigns", campaign))["campaign"]["id"]
    await made("POST", "/v1/campaigns-enroll", {"campaign_id": campaign_id, "contact_id": contact})
    await made("POST", "/api/reminder/item/create", an_item("canary-parked", **numbered))
    message = await made("POST", "/v1/messages", {"contact_id": contact, "body": "canary text"})
    await made("POST", "/v1/opt-outs", {"phone": "+447700900124"})
    hook = {"name": "canary", "target_url": "https://example.com/canary", "event_types": ["message.sent"]}
    endpoint = (await made("POST", "/v1/webhooks", hook))["endpoint"]["id"]
    delivery, backfill = await _owed(door, account, endpoint)
    (row,) = await door.fetch("select number from contacts where id = $1::text::uuid", contact)
    about = {"title": "canary", "next_expected_date": in_future(days=9)[:10], "frequency_type": "one_time"}
    crm = await made("POST", "/api/reminders", {**about, "contact_id": row["number"]})
    kind = (await made("POST", "/events/types", {"type": "canary"}))["uuid"]
    for name in ("REMINDER", "NO_SHOW"):
        text = {"eventType": {"uuid": kind}, "messageType": name, "text": "canary"}
        await made("POST", "/events/types/messages", text)
    booking = {"phone": PHONE, "eventType": {"uuid": kind}, "eventDateTime": in_future(days=3)}
    booking |= {"subscriberTimeZone": "UTC", "externalEventId": "canary"}
    booked = await made("POST", "/events/reminders", booking)
    owned = Owned(
        agent=where["agentId"],
        configuration=where["configurationId"],
        template="canary-template",
        item="canary-item",
        external="canary-external",
        contact=contact,
        contact_number=row["number"],
        campaign=campaign_id,
        message=message["message_id"],
        reminder=booked["uuid"],
        opt_out="+447700900124",
        endpoint=endpoint,
        delivery=delivery,
        backfill=backfill,
        crm_reminder=crm["data"]["id"],
        appointment=booked["uuid"],
        type=kind,
        parked=await _parked(door, account),
    )
    return owned, own["primaryKey"]


_NONE = "none"


async def _parked(door: Door, account: NewAccount) -> str:
    """A send in doubt: the dispatcher would have made it one."""
    (row,) = await door.fetch(
        """select o.id from occurrences o join reminders r on r.id = o.reminder_id
           where r.account_id = $1 and r.external_id = 'canary-parked'""",
        account.account_id,
    )
    await door.execute(
        """update occurrences set state = 'uncertain', provider = 'twilio', attempt = 1, attempt_id = gen_random_uuid(),
               attempt_started_at = now(), ended_at = now(), reason = 'canary' where id = $1""",
        row["id"],
    )
    return str(row["id"])


async def _owed(door: Door, account: NewAccount, endpoint: str) -> tuple[str, str]:
    """A delivery that the webhook service would have made, and a backfill."""
    delivery, backfill = str(uuid4()), str(uuid4())
    await door.execute(
        """insert into deliveries (id, account_id, endpoint_id, event_id, event_type, subject, body, state, attempt,
               due_at, created_at, ended_at)
           values ($1::text::uuid, $2, $3::text::uuid, gen_random_uuid(), 'message.sent', gen_random_uuid(),
               '{"to": "canary"}', 'exhausted', 8, now(), now(), now())""",
        delivery,
        account.account_id,
        endpoint,
    )
    await door.execute(
        """insert into backfills (id, account_id, endpoint_id, cursor_at, cursor_id, until, created_at, ended_at)
           values ($1::text::uuid, $2, $3::text::uuid, now(), gen_random_uuid(), now(), now(), now())""",
        backfill,
        account.account_id,
        endpoint,
    )
    return delivery, backfill
