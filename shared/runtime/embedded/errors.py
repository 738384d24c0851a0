"""What can go wrong with the private server."""

from __future__ import annotations


class CannotStart(RuntimeError):
    """The private PostgreSQL cannot be started; the message says why and what to do."""
