"""A deadline that a process which stood still does not hold against an answer that has come meanwhile.

Stopped, starved or blocked for longer than its deadline, a process wakes up with both at once: a timer that is over
and an answer that waits to be read. The timer alone would throw the answer away, and with it what is known of a
message (R-07).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

STOOD_STILL: Final = 0.25
"""Seconds that a timer may be late before it says that the process stood still."""

READING: Final = 0.25
"""Seconds that are left then for what has arrived."""


@asynccontextmanager
async def until(deadline: float) -> AsyncIterator[None]:
    """Run the block until `deadline`, a time of the loop. Raises `TimeoutError`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:

        def over() -> None:
            if loop.time() - deadline > STOOD_STILL:
                timers.append(loop.call_later(READING, limit.reschedule, loop.time()))
            else:
                limit.reschedule(loop.time())

        timers = [loop.call_at(deadline, over)]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
