"""Seed 004: reminders of appointments under `/events`."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.api.dialect import About, Dialect
from services.api.dialects.appointments.edges import ErrorBody, authenticate, refuse
from services.api.dialects.appointments.reminders import REMINDER_ROUTES
from services.api.dialects.appointments.types import TYPE_ROUTES
from services.api.presented import ACCOUNT_PROOFS

APPOINTMENTS: Final = Dialect(
    name="appointments",
    prefix="/events",
    routes=(*REMINDER_ROUTES, *TYPE_ROUTES),
    authenticate=authenticate,
    refuse=refuse,
    about=About(
        title="Appointments",
        description="A reminder before an appointment, a follow-up after it, a word to who missed it.",
        proofs={name: ACCOUNT_PROOFS[name] for name in ("account_bearer", "account_key")},
        error=ErrorBody,
        parameters={"uuid": UUID},
    ),
)
