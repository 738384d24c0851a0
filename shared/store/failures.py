"""Tells the errors of the driver apart, for those who may not know the driver."""

from __future__ import annotations

import asyncpg

Taken = asyncpg.UniqueViolationError
"""A row was refused because another has what must be its own, such as a phone number."""


def lost_a_race(error: BaseException) -> bool:
    """Whether the transaction was ended in favour of another: the same again may go through at once."""
    return isinstance(error, asyncpg.TransactionRollbackError)
