"""How long a provider lets one call take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines of one call, in seconds."""

    connect: float = 3.0
    """For waiting for a free connection, DNS, TCP, TLS and, with SMTP, the greeting."""
    total: float = 9.0
    """For everything; shorter than the dispatcher's 10 s, so that the provider names the outcome itself."""

    @classmethod
    def within(cls, call_timeout: float) -> Self:
        """Deadlines that end before the dispatcher gives a call up after `call_timeout` seconds."""
        return cls(connect=0.3 * call_timeout, total=0.9 * call_timeout)
