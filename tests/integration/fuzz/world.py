"""An account with one of everything, made over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from services.api.core.accounts import NewAccount

REMINDER = {
    "countryCode": "+62",
    "phoneNumber": "81234567890",
    "notificationTemplateName": "visit",
    "templateParameters": [],
    "sendTimes": ["2039-05-29T09:00:00Z"],
}
APPOINTMENT = {
    "phone": "4155550132",
    "eventDateTime": "2039-05-29T09:00:00",
    "subscriberTimeZone": "America/New_York",
}


@dataclass
class World:
    """What a caller has: proofs for every door, and names of things for every parameter."""

    base_url: str
    session: requests.Session
    account: NewAccount
    park: Callable[[str], None]
    """Leaves a reminder's send in doubt."""

    def headers(self, operation_id: str) -> dict[str, str]:
        """The proof for an operation."""
        if operation_id.startswith("integration_"):
            return {"X-Reminder-Secret": self.account.default.primary_key}
        return {"x-api-key": self.account.api_key}

    def known(self, operation_id: str, path: str) -> dict[str, Any]:
        """A name of something that there is for each parameter and field; made anew."""
        crm, dialect = path.startswith("/api/"), operation_id.partition("_")[0]
        known: dict[str, Any] = {"agentId": "default", "configurationId": "default"}
        if dialect in {"items", "integration"}:
            known |= self._items(operation_id)
        if dialect == "appointments":
            known |= self._appointments(of_types="_types_" in operation_id)
        if dialect == "campaigns":
            known |= self._campaigns(path)
        if crm and dialect == "crm":
            known |= self._crm(of_contacts=path.startswith("/api/contacts"))
        return known

    def _items(self, operation_id: str) -> dict[str, Any]:
        known: dict[str, Any] = {"reminderId": "known"}
        if operation_id == "items_configurations_remove":
            self._post("/api/reminder/configuration", {"agentId": "spare", "configurationId": "spare"})
            known |= {"agentId": "spare", "configurationId": "spare"}
        if "_templates_" in operation_id:
            self._post("/api/reminder/configuration/default/default/templates", {"name": "visit", "body": "See you."})
            known["name"] = "visit"
        if not operation_id.endswith("_create"):
            self._post("/api/reminder/item/create", {"id": "known", **REMINDER})
            known |= {"id": "known", "ids": ["known", "unknown"]}
        return known

    def _appointments(self, *, of_types: bool) -> dict[str, Any]:
        kind = self._post("/events/types", {"type": "visit"})["uuid"]
        for message in ("REMINDER", "NO_SHOW", "FOLLOW_UP"):
            text = {"eventType": {"uuid": kind}, "messageType": message, "text": "See you."}
            self._post("/events/types/messages", text)
        made = self._post("/events/reminders", {**APPOINTMENT, "eventType": {"uuid": kind}})
        return {"uuid": kind if of_types else made["uuid"], "eventType": {"uuid": kind}}

    def _campaigns(self, path: str) -> dict[str, Any]:
        contact = self._post("/v1/contacts", {"phone": "+14155550132", "marketing_consent": True})["contact_id"]
        campaign = self._post(
            "/v1/campaigns", {"name": "Visit", "type": "recurring", "body": "See you.", "offsets": ["P1D"]}
        )
        endpoint = {"name": "Sync", "target_url": "https://example.com/hook", "event_types": ["message.sent"]}
        endpoint_id = self._post("/v1/webhooks", endpoint)["endpoint"]["id"]
        delivery = self._post(f"/v1/webhooks/{endpoint_id}/test", None)["delivery"]["id"]
        replayed = self._post(f"/v1/webhooks/{endpoint_id}/replay", {"from": "2026-01-01T00:00:00Z"})
        message = self._post("/v1/messages", {"contact_id": contact, "body": "Hello"})["message_id"]
        self._post("/v1/opt-outs", {"phone": "+14155550199"})
        self._post("/api/reminder/item/create", {"id": "known", **REMINDER})
        life = self._get("/v1/reminders?external_id=known")["reminders"][0]
        if path.startswith("/v1/uncertain"):
            self.park(life["id"])
        ids = {
            "contacts": contact,
            "campaigns": campaign["campaign"]["id"],
            "webhooks": endpoint_id,
            "messages": message,
            "reminders": life["id"],
            "uncertain": life["occurrences"][0]["id"],
        }
        return {
            "id": ids.get(path.split("/")[2], contact),
            "contact_id": contact,
            "customer_id": contact,
            "campaign_id": ids["campaigns"],
            "endpoint_id": endpoint_id,
            "delivery_id": delivery,
            "backfill_id": replayed["backfill"]["id"],
            "address": "+14155550199",
        }

    def _crm(self, *, of_contacts: bool) -> dict[str, Any]:
        contact = self._post("/api/contacts", {"first_name": "Ada"})["data"]["id"]
        reminder = {
            "title": "Call",
            "next_expected_date": "2039-05-29",
            "frequency_type": "year",
            "contact_id": contact,
        }
        made = self._post("/api/reminder", reminder)["data"]["id"]
        return {"id": contact if of_contacts else made, "contact_id": contact}

    def _get(self, path: str) -> Any:
        key = {"x-api-key": self.account.api_key}
        return self.session.get(self.base_url + path, headers=key, timeout=10).json()

    def _post(self, path: str, body: Any) -> Any:
        """What there is already is as good."""
        key = {"x-api-key": self.account.api_key}
        response = self.session.post(self.base_url + path, json=body, headers=key, timeout=10)
        assert response.status_code < 300 or response.status_code == 409, (path, response.text)
        return response.json()
