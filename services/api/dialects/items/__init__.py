"""Reminder items: one resource, two doors. `integration` is for a configuration's key, `admin` for an account's."""

from __future__ import annotations

from services.api.dialects.items.admin import ITEMS
from services.api.dialects.items.integration import INTEGRATION

__all__ = ["INTEGRATION", "ITEMS"]
