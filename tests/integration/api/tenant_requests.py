"""For each route a request that names what a tenant owns: what the generated tests of security walk over.

A route that this table does not know fails them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.builders import a_reminder, an_item, in_future
from tests.integration.api.tenant import NAME, PHONE, Owned

Route = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """One request; `names` says whether it names something that exists."""

    path: str
    body: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    names: bool = True
    refused: frozenset[int] = frozenset({404})
    """How it is refused to others."""


def requests_of(o: Owned) -> dict[Route, Asked]:
    """For every route a request that names what `o` owns, those that remove something last."""
    return {**_items(o), **_integration(o), **_campaigns(o), **_crm(o), **_appointments(o), **_removing(o)}


def _templated(o: Owned) -> dict[str, Any]:
    return {"notificationTemplateName": o.template, "templateParameters": ["x"]}


def _items(o: Owned) -> dict[Route, Asked]:
    where = {"agentId": o.agent, "configurationId": o.configuration}
    items, configurations = "/api/reminder/item", "/api/reminder/configuration"
    named = f"{configurations}/{{agentId}}/{{configurationId}}"
    at = f"{configurations}/{o.agent}/{o.configuration}"
    one = {"action": "cancel", "ids": [o.item]}  # answers 200, and says of each id what became of it
    return {
        ("GET", f"{items}/list"): Asked(f"{items}/list", query=where, names=False),
        ("GET", f"{items}/{{reminderId}}"): Asked(f"{items}/{o.item}"),
        ("POST", f"{items}/create"): Asked(f"{items}/create", an_item("canary-fresh", **where, **_templated(o))),
        ("PUT", f"{items}/update"): Asked(f"{items}/update", {"id": o.item, "recipientName": "Somebody"}),
        ("POST", f"{items}/bulk"): Asked(f"{items}/bulk", one, refused=frozenset({200})),
        ("GET", configurations): Asked(configurations, names=False),
        ("POST", configurations): Asked(configurations, {"agentId": "fresh", "name": "Fresh"}, names=False),
        ("PUT", configurations): Asked(configurations, {**where, "name": "Other"}),
        ("GET", named): Asked(at),
        ("GET", f"{named}/numbers"): Asked(f"{at}/numbers"),
        ("POST", f"{named}/pause"): Asked(f"{at}/pause"),
        ("POST", f"{named}/resume"): Asked(f"{at}/resume"),
        ("POST", f"{named}/refresh-keys"): Asked(f"{at}/refresh-keys", {"keyType": "secondary"}),
        ("GET", f"{named}/templates"): Asked(f"{at}/templates"),
        ("POST", f"{named}/templates"): Asked(f"{at}/templates", {"name": "fresh", "body": "Hello"}),
        ("GET", f"{named}/templates/{{name}}"): Asked(f"{at}/templates/{o.template}"),
        ("PUT", f"{named}/templates/{{name}}"): Asked(f"{at}/templates/{o.template}", {"body": "Other {{1}}"}),
        ("GET", "/sandbox/messages"): Asked("/sandbox/messages", names=False),
    }


def _integration(o: Owned) -> dict[Route, Asked]:
    """The door is of one configuration: a key of another is wrong there, whatever the path names (B-004)."""
    path, at = "/api/reminder/{agentId}/{configurationId}/{reminderId}", f"/api/reminder/{o.agent}/{o.configuration}"
    refused = frozenset({401, 404})
    return {
        ("GET", path): Asked(f"{at}/{o.external}", refused=refused),
        ("POST", path): Asked(f"{at}/canary-fresh", a_reminder(**_templated(o)), refused=refused),
        ("PUT", path): Asked(f"{at}/{o.external}", {"status": "active"}, refused=refused),
    }


def _campaigns(o: Owned) -> dict[Route, Asked]:
    contacts, hooks, hook = "/v1/contacts", "/v1/webhooks", f"/v1/webhooks/{o.endpoint}"
    one, campaign = "/v1/webhooks/{id}", f"/v1/campaigns/{o.campaign}"
    person = {"phone": "+447700900456", "campaign_ids": [o.campaign], "marketing_consent": True}
    made = {"name": "Fresh", "type": "one_off", "body": "Hello"}
    new_hook = {"name": "Fresh", "target_url": "https://example.com/x", "event_types": ["message.sent"]}
    return {
        ("GET", contacts): Asked(contacts, names=False, query={"search": NAME}),
        ("POST", contacts): Asked(contacts, person),
        ("GET", f"{contacts}/{{id}}"): Asked(f"{contacts}/{o.contact}"),
        ("GET", "/v1/campaigns"): Asked("/v1/campaigns", names=False),
        ("POST", "/v1/campaigns"): Asked("/v1/campaigns", made, names=False),
        ("GET", "/v1/campaigns/{id}"): Asked(campaign),
        ("PATCH", "/v1/campaigns/{id}"): Asked(campaign, {"name": "Other"}),
        ("POST", "/v1/campaigns/{id}/pause"): Asked(f"{campaign}/pause"),
        ("POST", "/v1/campaigns/{id}/resume"): Asked(f"{campaign}/resume"),
        ("POST", "/v1/campaigns-enroll"): Asked(
            "/v1/campaigns-enroll", {"campaign_id": o.campaign, "contact_id": o.contact}
        ),
        ("POST", "/v1/messages"): Asked("/v1/messages", {"contact_id": o.contact, "body": "Hello"}),
        ("GET", "/v1/messages/{id}"): Asked(f"/v1/messages/{o.message}"),
        ("GET", "/v1/opt-outs"): Asked("/v1/opt-outs", names=False),
        ("POST", "/v1/opt-outs"): Asked("/v1/opt-outs", {"email": "somebody@example.com"}, names=False),
        ("GET", "/v1/opt-outs/{address}"): Asked(f"/v1/opt-outs/{o.opt_out}"),
        ("GET", "/v1/reminders"): Asked("/v1/reminders", names=False, query={"contact_id": o.contact}),
        ("GET", "/v1/reminders/{id}/explain"): Asked(f"/v1/reminders/{o.reminder}/explain"),
        ("GET", "/v1/uncertain"): Asked("/v1/uncertain", names=False),
        ("GET", "/v1/uncertain/{id}"): Asked(f"/v1/uncertain/{o.parked}"),
        ("POST", "/v1/uncertain/{id}/resolve"): Asked(f"/v1/uncertain/{o.parked}/resolve", {"outcome": "closed"}),
        ("GET", hooks): Asked(hooks, names=False),
        ("POST", hooks): Asked(hooks, new_hook, names=False),
        ("GET", one): Asked(hook),
        ("PATCH", one): Asked(hook, {"name": "Other"}),
        ("POST", f"{one}/enable"): Asked(f"{hook}/enable"),
        ("POST", f"{one}/rotate-secret"): Asked(f"{hook}/rotate-secret", {"phase": "stage"}),
        ("POST", f"{one}/test"): Asked(f"{hook}/test"),
        ("GET", f"{one}/deliveries"): Asked(f"{hook}/deliveries"),
        ("GET", f"{one}/deliveries/{{delivery_id}}"): Asked(f"{hook}/deliveries/{o.delivery}"),
        ("POST", f"{one}/replay"): Asked(f"{hook}/replay", {"delivery_id": o.delivery}),
        ("GET", f"{one}/backfills/{{backfill_id}}"): Asked(f"{hook}/backfills/{o.backfill}"),
    }


def _crm(o: Owned) -> dict[Route, Asked]:
    about = {"title": "Call", "next_expected_date": in_future(days=9)[:10], "frequency_type": "one_time"}
    given = {**about, "contact_id": o.contact_number}
    person = {"first_name": "Fresh", "gender": "male", "is_birthdate_approximate": "unknown"}
    changed = {**person, "first_name": "Other", "birthdate": "1983-10-23"}
    unknown = frozenset({404, 422})
    return {
        ("POST", "/api/reminder"): Asked("/api/reminder", given, refused=unknown),
        ("POST", "/api/reminders"): Asked("/api/reminders", given, refused=unknown),
        ("GET", "/api/reminders"): Asked("/api/reminders", names=False),
        ("GET", "/api/reminders/{id}"): Asked(f"/api/reminders/{o.crm_reminder}"),
        ("PUT", "/api/reminders/{id}"): Asked(f"/api/reminders/{o.crm_reminder}", given, refused=unknown),
        ("GET", "/api/contacts/{id}/reminders"): Asked(f"/api/contacts/{o.contact_number}/reminders"),
        ("GET", "/api/contacts"): Asked("/api/contacts", names=False),
        ("POST", "/api/contacts"): Asked("/api/contacts", person, names=False),
        ("GET", "/api/contacts/{id}"): Asked(f"/api/contacts/{o.contact_number}"),
        ("PUT", "/api/contacts/{id}"): Asked(f"/api/contacts/{o.contact_number}", changed),
    }


def _appointments(o: Owned) -> dict[Route, Asked]:
    reminders, one = "/events/reminders", "/events/reminders/{uuid}"
    at = f"{reminders}/{o.appointment}"
    unknown_type = frozenset({400, 404})
    booked = {
        "phone": PHONE,
        "eventType": {"uuid": o.type},
        "eventDateTime": in_future(days=3),
        "subscriberTimeZone": "UTC",
    }
    text = {"eventType": {"uuid": o.type}, "messageType": "CONFIRMATION", "text": "Other"}
    return {
        ("POST", reminders): Asked(reminders, booked, refused=unknown_type),
        ("GET", reminders): Asked(reminders, names=False, query={"phone": PHONE}),
        ("GET", one): Asked(at),
        ("PUT", one): Asked(at, {"firstName": "Other"}),
        ("POST", f"{one}/no-show"): Asked(f"{at}/no-show"),
        ("POST", f"{one}/cancel"): Asked(f"{at}/cancel"),
        ("POST", "/events/types"): Asked("/events/types", {"type": "fresh"}, names=False),
        ("GET", "/events/types"): Asked("/events/types", names=False),
        ("POST", "/events/types/messages"): Asked("/events/types/messages", text, refused=unknown_type),
        ("GET", "/events/types/messages"): Asked("/events/types/messages", query={"eventType": o.type}, names=False),
        ("GET", "/events/types/{uuid}"): Asked(f"/events/types/{o.type}"),
    }


def _removing(o: Owned) -> dict[Route, Asked]:
    configuration = "/api/reminder/configuration/{agentId}/{configurationId}"
    at, item = f"/api/reminder/configuration/{o.agent}/{o.configuration}", "/api/reminder/item/{reminderId}"
    door = f"/api/reminder/{o.agent}/{o.configuration}"
    integration = ("DELETE", "/api/reminder/{agentId}/{configurationId}/{reminderId}")
    return {
        ("DELETE", item): Asked(f"/api/reminder/item/{o.item}"),
        integration: Asked(f"{door}/{o.external}", refused=frozenset({401, 404})),
        ("DELETE", f"{configuration}/templates/{{name}}"): Asked(f"{at}/templates/{o.template}"),
        ("DELETE", configuration): Asked(at),
        ("DELETE", "/v1/opt-outs/{address}"): Asked(f"/v1/opt-outs/{o.opt_out}"),
        ("DELETE", "/api/reminders/{id}"): Asked(f"/api/reminders/{o.crm_reminder}"),
        ("DELETE", "/v1/contacts/{id}"): Asked(f"/v1/contacts/{o.contact}"),
        ("DELETE", "/api/contacts/{id}"): Asked(f"/api/contacts/{o.contact_number}"),
        ("POST", "/v1/webhooks/delete"): Asked("/v1/webhooks/delete", {"endpoint_id": o.endpoint}),
        ("DELETE", "/v1/webhooks/{id}"): Asked(f"/v1/webhooks/{o.endpoint}"),
    }
