"""Runs a coroutine as a process of its own does: on uvloop where there is one, ended by TERM as by Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end. Raises `KeyboardInterrupt` or `CancelledError` when a signal ended it."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_ended_by_term(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - does not exist everywhere
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _ended_by_term(work: Awaitable[T]) -> T:
    """Until `run_services` takes the signals over: a TERM while starting must not leave a server behind."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
