"""A TCP proxy in this process that spoils what comes back, connection by connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PIECE = 65_536


@dataclass(frozen=True)
class Toxic:
    """What is done to one connection; nothing, unless something is said. Counts are bytes of the answer, times seconds."""

    reset_after: int | None = None  # then the connection is reset
    cut_after: int | None = None  # then it ends as if all were well
    delay: float = 0.0  # before the first byte of the answer
    piece: int = _PIECE  # so many bytes at a time
    rest: float = 0.0  # between two pieces
    deaf: bool = False  # not a byte of the request gets through; the connection is reset


CLEAN = Toxic()


@dataclass
class Proxy:
    """Where it listens, what it does to the connections to come, and what it saw."""

    origin: str
    toxics: Iterator[Toxic]
    on_answer: Callable[[], None] | None = None  # called when an answer begins to come, before any of it goes on
    connections: int = 0
    spoiled: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        self.connections += 1
        toxic = next(self.toxics, CLEAN)
        self.spoiled += toxic != CLEAN
        try:
            if toxic.deaf:
                _reset(writer)
                return
            there = urlsplit(self.origin)
            upstream, outward = await asyncio.open_connection(there.hostname, there.port)
            sending = asyncio.ensure_future(_copy(reader, outward))
            try:
                await self._answer(upstream, writer, toxic)
            finally:
                sending.cancel()
                outward.close()
        except OSError:
            _reset(writer)
        finally:
            writer.close()

    async def _answer(self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, toxic: Toxic) -> None:
        sent = 0
        while piece := await upstream.read(min(toxic.piece, _PIECE)):
            if sent == 0:
                if self.on_answer is not None:
                    self.on_answer()
                await asyncio.sleep(toxic.delay)
            for limit, end in ((toxic.reset_after, _reset), (toxic.cut_after, _cut)):
                if limit is not None and sent + len(piece) > limit:
                    writer.write(piece[: limit - sent])
                    await writer.drain()
                    end(writer)
                    return
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.sleep(toxic.rest)

    async def close(self) -> None:
        """Drop what is open."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@asynccontextmanager
async def proxy(
    origin: str, toxics: Sequence[Toxic] | Iterator[Toxic] = (), on_answer: Callable[[], None] | None = None
) -> AsyncIterator[tuple[str, Proxy]]:
    """A proxy in front of `origin`; its own origin, and itself. Connections beyond the toxics are left alone."""
    made = Proxy(origin, iter(toxics), on_answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", made
    finally:
        server.close()
        await made.close()
        await server.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with a reset, so that the other side knows that something is wrong."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _cut(writer: asyncio.StreamWriter) -> None:
    writer.close()
