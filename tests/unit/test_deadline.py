"""A deadline, and a process that stands still beyond it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from services.dispatcher.deadline import until


async def _stand_still_for(seconds: float, *, answer_after: float | None) -> bytes:
    """Wait for an answer with a deadline of 0.1 s in a loop that is blocked; it may come while it is."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    if answer_after is not None:
        threading.Timer(answer_after, theirs.send, (b"taken",)).start()
    loop = asyncio.get_running_loop()
    loop.call_later(0.02, time.sleep, seconds)
    try:
        async with until(loop.time() + 0.1):
            return await reader.read(5)
    finally:
        writer.close()
        theirs.close()


async def test_an_answer_that_came_while_the_process_stood_still_is_taken_r_07() -> None:
    assert await _stand_still_for(0.6, answer_after=0.3) == b"taken"


async def test_a_deadline_ends_a_wait_on_time() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with until(asyncio.get_running_loop().time() + 0.1):
            await asyncio.sleep(5)
    assert 0.1 <= time.monotonic() - began < 0.3


async def test_a_process_that_stood_still_and_got_nothing_gives_up_soon() -> None:
    with pytest.raises(TimeoutError):
        await _stand_still_for(0.6, answer_after=None)


@pytest.mark.parametrize("wait", [0.0, 0.05])
async def test_what_is_done_in_time_is_left_alone(wait: float) -> None:
    async def work(do: Callable[[float], Awaitable[None]]) -> str:
        async with until(asyncio.get_running_loop().time() + 0.2):
            await do(wait)
            return "done"

    assert await work(asyncio.sleep) == "done"
    await asyncio.sleep(0.3)
