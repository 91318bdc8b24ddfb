"""The listening sockets: they take connections while descriptors are left, and go on when there are some again."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import unused_port

from gateway.clock import SystemClock
from gateway.ingress import door
from gateway.ingress.door import Door


class Greeting(asyncio.Protocol):
    """Says a word to everybody."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say it."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")


@asynccontextmanager
async def opened(host: str = "127.0.0.1", descriptors: int = 10_000, spare: int = 64) -> AsyncIterator[int]:
    """A door that greets, and its port."""
    made = Door(Greeting, SystemClock(), descriptors, spare)
    _, port = await made.open(host, 0)
    try:
        yield port
    finally:
        await made.close()


async def greeted(port: int, host: str = "127.0.0.1", within: float = 2) -> asyncio.StreamWriter | None:
    """Come in; the line when a word was said in time."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(within):
            assert await reader.readexactly(5) == b"hello"
    except TimeoutError:
        writer.close()
        return None
    return writer


async def test_who_comes_is_let_in() -> None:
    """One after another, and none after it is closed."""
    async with opened() as port:
        for _ in range(5):
            line = await greeted(port)
            assert line is not None
            line.close()
    with pytest.raises(ConnectionRefusedError):
        await greeted(port)


async def test_the_last_descriptors_are_kept_and_it_goes_on_when_some_are_free() -> None:
    """With no more than the spare ones free nobody is let in; once one is closed whoever waited is."""
    highest = os.dup(0)
    os.close(highest)
    async with opened(descriptors=highest + 6, spare=0) as port:
        lines: list[asyncio.StreamWriter] = []
        while (line := await greeted(port, within=0.3)) is not None:
            lines.append(line)
            assert len(lines) < 6
        waiting = asyncio.create_task(greeted(port, within=5))
        await asyncio.sleep(0.05)
        for each in lines:
            each.close()
        line = await waiting
        assert line is not None
        line.close()


async def test_who_waits_together_is_taken_together() -> None:
    """A hundred who came at once are in within a few turns of the loop: a busy one has not many."""
    async with opened() as port:
        socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        for _ in range(15):
            await asyncio.sleep(0)
        for sock in socks:
            with sock:
                sock.settimeout(0.05)
                assert sock.recv(5) == b"hello"


async def test_room_is_asked_for_when_there_is_none() -> None:
    """With no descriptor left those of no use are closed, and whoever waits comes in."""
    highest, closed = os.dup(0), 0
    os.close(highest)
    lines: list[asyncio.Transport] = []

    class Kept(Greeting):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Remember it."""
            super().connection_made(transport)
            assert isinstance(transport, asyncio.Transport)
            lines.append(transport)

    def relieve() -> int:
        nonlocal closed
        closed += 1
        lines.pop(0).abort()
        return 1

    made = Door(Kept, SystemClock(), highest + 12, 0, relieve)
    _, port = await made.open("127.0.0.1", 0)
    mine = [await greeted(port) for _ in range(12)]
    assert closed >= 3
    await made.close()
    for line in (*lines, *filter(None, mine)):
        line.close()


async def test_a_connection_that_cannot_be_handed_on_stops_nobody() -> None:
    """When no protocol can be made for one the next one is served all the same."""
    failing = [MemoryError("no memory"), ConnectionResetError("gone")]

    def serve() -> asyncio.Protocol:
        if failing:
            raise failing.pop()
        return Greeting()

    made = Door(serve, SystemClock(), 10_000)
    _, port = await made.open("127.0.0.1", 0)
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
    line = await greeted(port)
    assert line is not None
    line.close()
    await made.close()


async def test_a_port_that_is_taken_is_told() -> None:
    """The error is the system's, so that the command can say which port is free."""
    port = unused_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(OSError, match="in use") as raised:
            await Door(Greeting, SystemClock(), 10_000).open("127.0.0.1", port)
    assert raised.value.errno == errno.EADDRINUSE


def test_descriptors_are_as_many_as_can_be_borne() -> None:
    """The system's own limit is taken whole, and no more than there is memory for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert door.affordable(1 << 50) == hard == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert door.affordable(200 * 512 * 1024) == 200
        assert door.affordable(0) == 128
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
