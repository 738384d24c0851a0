"""Seed 004: reminders of appointments under `/events`."""

from __future__ import annotations

from typing import Final

from services.api.dialect import Dialect
from services.api.dialects.appointments.edges import authenticate, refuse
from services.api.dialects.appointments.reminders import REMINDER_ROUTES
from services.api.dialects.appointments.types import TYPE_ROUTES

APPOINTMENTS: Final = Dialect(
    name="appointments",
    prefix="/events",
    routes=(*REMINDER_ROUTES, *TYPE_ROUTES),
    authenticate=authenticate,
    refuse=refuse,
)
