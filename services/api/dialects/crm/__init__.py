"""Document 003: reminders about contacts to the account's own user, under `/api`."""

from __future__ import annotations

from typing import Final

from services.api.dialect import Dialect
from services.api.dialects.crm.contacts import CONTACT_ROUTES
from services.api.dialects.crm.edges import authenticate, refuse
from services.api.dialects.crm.reminders import REMINDER_ROUTES

CRM: Final = Dialect(
    name="crm",
    prefix="/api/",
    routes=(*REMINDER_ROUTES, *CONTACT_ROUTES),
    authenticate=authenticate,
    refuse=refuse,
)
