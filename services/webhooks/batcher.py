"""Many small writes become few big ones: whoever comes while a batch is being written goes into the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.runtime.loops import patiently

T = TypeVar("T")


class Batcher(Generic[T]):
    """Calls `work` with up to `most` items at a time, one call after another.

    `work` must be safe to repeat: it is repeated while the database is away, and item by item where a whole
    batch fails, so that one bad item fails alone.
    """

    def __init__(self, name: str, work: Callable[[Sequence[T]], Awaitable[None]], *, most: int) -> None:
        self._name, self._work, self._most = name, work, most
        self._waiting: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def put(self, item: T) -> None:
        """Return when `item` has been written. Raises what `work` raised for it."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._write_all())
        await done

    async def close(self) -> None:
        """Give up what is not written yet."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        for _, done in self._waiting:
            done.cancel()

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            try:
                if not await self._write(batch):
                    for one in batch:
                        await self._write([one], last=True)
            finally:
                for _, done in batch:
                    done.cancel()

    async def _write(self, batch: Sequence[tuple[T, asyncio.Future[None]]], *, last: bool = False) -> bool:
        items = [item for item, _ in batch]
        try:
            await patiently(lambda: self._work(items), name=self._name)
        except Exception as error:  # noqa: BLE001  it belongs to whoever put the item
            if not last:
                return False
            _finish(batch, error)
        else:
            _finish(batch, None)
        return True


def _finish(batch: Sequence[tuple[T, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
