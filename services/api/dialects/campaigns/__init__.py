"""Seed 002: contacts, campaigns, messages and webhooks under `/v1`. The webhooks are here; the rest follows."""

from __future__ import annotations

from typing import Final

from services.api.dialect import Dialect
from services.api.dialects.campaigns.edges import authenticate, refuse
from services.api.dialects.campaigns.webhooks import WEBHOOK_ROUTES

CAMPAIGNS: Final = Dialect(
    name="campaigns", prefix="/v1", routes=WEBHOOK_ROUTES, authenticate=authenticate, refuse=refuse
)
