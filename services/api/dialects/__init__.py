"""The HTTP APIs that we speak, each in its own folder. A new one is one line in this list."""

from __future__ import annotations

from typing import Final

from services.api.dialect import Dialect
from services.api.dialects.appointments import APPOINTMENTS
from services.api.dialects.campaigns import CAMPAIGNS
from services.api.dialects.crm import CRM
from services.api.dialects.items import INTEGRATION, ITEMS
from services.api.dialects.sandbox import SANDBOX

DIALECTS: Final[tuple[Dialect, ...]] = (ITEMS, INTEGRATION, CAMPAIGNS, CRM, APPOINTMENTS, SANDBOX)
