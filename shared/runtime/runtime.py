"""What a service is given to run with. The contract of a service is one function:

`async def run(runtime: Runtime) -> None`, which returns when `runtime.stopping` is set and its work is drained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.bus.bus import Bus
from shared.runtime.settings import Settings
from shared.store.database import Database


@dataclass(slots=True)
class Runtime:
    """One process's settings, connections and signals."""

    settings: Settings
    db: Database
    bus: Bus
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once: stop taking work, drain, return."""
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when every service has returned: the relay publishes what they wrote last, and ends."""
    events_written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it after each commit that wrote to the outbox: the relay looks at once."""
    deliveries_written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after each commit that made a delivery due: the webhook service looks at once."""
    checks: dict[str, Callable[[], bool]] = field(default_factory=dict)
    """Readiness by name: each part of a service adds its own (`services.api`: Postgres alone)."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Where this process listens, by service: filled in by those that listen."""
