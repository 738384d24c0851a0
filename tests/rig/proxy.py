"""A TCP proxy that fails on purpose, between a program under test and a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Mode(StrEnum):
    """How the network behaves. A change holds at once, for open connections too."""

    PASS = "pass"
    BLACKHOLE = "blackhole"  # nothing arrives anywhere, nothing is closed
    DROP_REPLY = "drop_reply"  # requests arrive, answers are lost
    REFUSE = "refuse"  # nobody listens any more; open connections live
    RESET_ALL = "reset_all"  # open connections and new ones are reset
    DELAY = "delay"  # every piece arrives `delay` seconds later


_BEGINNING = 8_192


@dataclass(slots=True)
class _Connection:
    began_with: bytes = b""
    """The first bytes of its requests."""
    cut: bool = False
    """Its answers are lost from now on."""


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes on to `target_port`, as its mode says."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target_port, self.port = target_port, port
        self._mode, self._delay = Mode.PASS, 0.0
        self._fatal, self._left, self.lost = b"", 0, 0
        self._silenced = b""
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        tasks = [task for task in self._open.values() if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def set(self, mode: Mode, delay: float = 0.0) -> None:
        """Behave so from now on; `delay` in seconds, for Mode.DELAY. What a blackhole swallowed stays lost."""
        self._mode, self._delay = mode, delay
        if mode is Mode.REFUSE:
            self._server.close()
        elif not self._server.is_serving():
            await self._listen()
        if mode is Mode.RESET_ALL:
            for writer in self._open:
                _reset(writer)

    def lose_replies_to(self, words: bytes, times: int) -> None:
        """Pass on the next `times` pieces that hold `words`, and cut their connections before any answer.

        `lost` counts them. For an answer that is lost at the worst moment, such as that to a COMMIT.
        """
        self._fatal, self._left, self.lost = words, times, 0

    def silence(self, words: bytes) -> None:
        """A blackhole for the connections alone that began with a request that holds `words`; b"" ends it."""
        self._silenced = words

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        far_writer, state = None, _Connection()
        try:
            if self._mode is not Mode.RESET_ALL:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._open[far_writer] = None
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass_on(reader, far_writer, {Mode.BLACKHOLE}, state, request=True))
                    lost = {Mode.BLACKHOLE, Mode.DROP_REPLY}
                    both.create_task(self._pass_on(far_reader, writer, lost, state, request=False))
        except* OSError:
            pass
        finally:
            for end in filter(None, (writer, far_writer)):
                del self._open[end]
                _reset(end)

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        lost: set[Mode],
        state: _Connection,
        *,
        request: bool,
    ) -> None:
        while piece := await source.read(65_536):
            if self._mode is Mode.DELAY:
                await asyncio.sleep(self._delay)
            if request:
                self._look_at(piece, state)
            deaf = self._silenced and self._silenced in state.began_with
            if not deaf and self._mode not in lost and (request or not state.cut):
                to.write(piece)
                await to.drain()
            if request and state.cut:
                await asyncio.sleep(0.05)  # the far end reads it, and acts on it
                raise ConnectionResetError
        to.write_eof()

    def _look_at(self, piece: bytes, state: _Connection) -> None:
        if len(state.began_with) < _BEGINNING:
            state.began_with += piece
        if self._left and self._fatal in piece:
            self._left, self.lost, state.cut = self._left - 1, self.lost + 1, True


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # it may be closed by now
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
