"""The API: every HTTP dialect over one core.

A request's way: `observe` (id, log) → `dialect` (read, authenticate, transaction) → `dialects/<name>` (parse,
translate) → `core` (verbs) → `shared.store` (SQL).
"""

from __future__ import annotations

from services.api.serve import run

__all__ = ["run"]
