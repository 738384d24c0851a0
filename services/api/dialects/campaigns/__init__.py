"""Seed 002: contacts, campaigns, messages and webhooks under `/v1`."""

from __future__ import annotations

from typing import Final

from services.api.dialect import Dialect
from services.api.dialects.campaigns.campaigns import CAMPAIGN_ROUTES
from services.api.dialects.campaigns.contacts import CONTACT_ROUTES
from services.api.dialects.campaigns.edges import authenticate, refuse
from services.api.dialects.campaigns.messages import MESSAGE_ROUTES
from services.api.dialects.campaigns.opt_outs import OPT_OUT_ROUTES
from services.api.dialects.campaigns.webhooks import WEBHOOK_ROUTES

CAMPAIGNS: Final = Dialect(
    name="campaigns",
    prefix="/v1",
    routes=(*CONTACT_ROUTES, *CAMPAIGN_ROUTES, *MESSAGE_ROUTES, *OPT_OUT_ROUTES, *WEBHOOK_ROUTES),
    authenticate=authenticate,
    refuse=refuse,
)
