"""Seed 002: contacts, campaigns, messages and webhooks under `/v1`."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.api.dialect import About, Dialect
from services.api.dialects.campaigns.campaigns import CAMPAIGN_ROUTES
from services.api.dialects.campaigns.contacts import CONTACT_ROUTES
from services.api.dialects.campaigns.edges import ErrorBody, authenticate, refuse
from services.api.dialects.campaigns.messages import MESSAGE_ROUTES
from services.api.dialects.campaigns.opt_outs import OPT_OUT_ROUTES
from services.api.dialects.campaigns.reminders import REMINDER_ROUTES
from services.api.dialects.campaigns.uncertain import UNCERTAIN_ROUTES
from services.api.dialects.campaigns.webhooks import WEBHOOK_ROUTES
from services.api.presented import ACCOUNT_PROOFS

CAMPAIGNS: Final = Dialect(
    name="campaigns",
    prefix="/v1",
    routes=(
        *CONTACT_ROUTES,
        *CAMPAIGN_ROUTES,
        *MESSAGE_ROUTES,
        *OPT_OUT_ROUTES,
        *REMINDER_ROUTES,
        *UNCERTAIN_ROUTES,
        *WEBHOOK_ROUTES,
    ),
    authenticate=authenticate,
    refuse=refuse,
    about=About(
        title="Campaigns",
        description="Contacts, campaigns, one-time messages, opt-outs, sends in doubt and webhooks.",
        proofs=ACCOUNT_PROOFS,
        error=ErrorBody,
        parameters={"delivery_id": UUID, "backfill_id": UUID},
    ),
)
