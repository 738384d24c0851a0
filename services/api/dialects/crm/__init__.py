"""Document 003: reminders about contacts to the account's own user, under `/api`."""

from __future__ import annotations

from typing import Final

from services.api.dialect import About, Dialect
from services.api.dialects.crm.contacts import CONTACT_ROUTES
from services.api.dialects.crm.edges import ErrorBody, authenticate, refuse
from services.api.dialects.crm.reminders import REMINDER_ROUTES
from services.api.dialects.crm.wire import Number
from services.api.presented import ACCOUNT_PROOFS

CRM: Final = Dialect(
    name="crm",
    prefix="/api/",
    routes=(*REMINDER_ROUTES, *CONTACT_ROUTES),
    authenticate=authenticate,
    refuse=refuse,
    about=About(
        title="CRM",
        description="Reminders about contacts, by e-mail to the account's own user; ids are integers.",
        proofs=ACCOUNT_PROOFS,
        error=ErrorBody,
        parameters={"id": Number},
    ),
)
