"""Writes answers in batches: while one batch is being committed, the next one gathers.

Where a batch cannot be written, its answers are written one by one, so that a bad one touches no other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from shared.domain.outcome import without_words
from shared.runtime.ledger import Answer, settle_answers
from shared.runtime.logging import where
from shared.runtime.loops import patiently
from shared.runtime.runtime import Runtime

log = structlog.get_logger()

BATCH: Final = 200
LAST_WRITE: Final = 2.0
"""Seconds that a stop leaves for the last batch; what is not written then is left to its lease."""


class Recorder:
    """Turns many single answers into few transactions. Nothing is lost while Postgres is away: it waits."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._answers: asyncio.Queue[tuple[Answer, asyncio.Future[None]]] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()

    async def record(self, answer: Answer) -> None:
        """Return when the answer is committed."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._answers.put((answer, written))
        self._idle.clear()
        await written

    async def run(self) -> None:
        """Write batches for ever."""
        while True:
            batch = [await self._answers.get()]
            while len(batch) < BATCH and not self._answers.empty():
                batch.append(self._answers.get_nowait())
            self._idle.clear()
            await self._write([answer for answer, _ in batch])
            for _, written in batch:
                if not written.done():
                    written.set_result(None)
            if self._answers.empty():
                self._idle.set()

    async def _write(self, answers: list[Answer]) -> None:
        try:
            await self._settle(answers)
        except Exception:  # noqa: BLE001  it is said of the answer that caused it
            for answer in answers:
                await self._write_alone(answer)

    async def _write_alone(self, answer: Answer) -> None:
        try:
            await self._settle([answer])
        except Exception as broken:  # noqa: BLE001  what the provider said must not be what stops the others
            log.error("answer_unwritable", occurrence_id=str(answer.begun.id), error=where(broken))
            await self._settle([replace(answer, outcome=without_words(answer.outcome))])

    async def _settle(self, answers: list[Answer]) -> None:
        fallback = self._runtime.settings.policy()
        await patiently(lambda: settle_answers(self._runtime.db, answers, fallback=fallback), name="record")
        self._runtime.events_written.set()

    async def finish(self, running: asyncio.Task[None]) -> None:
        """Let what was answered be written, for a moment, and end `running`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WRITE):
                await self._idle.wait()
        running.cancel()
        await asyncio.wait([running])
