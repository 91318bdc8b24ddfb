"""Clients that mean no good: they open connections and send and take as little as they can.

A process of its own, so that what it costs is not taken for what it does: `python -m tests.harness.besiege PORT COUNT SECONDS`. It
writes one line of JSON: for every kind how often the other side closed, and after how many seconds at the longest.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

DRIP = 3.0  # seconds between bytes
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 4000
BODY = (
    b"POST /v1/generate/image/bytedance/seedream-4.5 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 90000\r\n\r\n{"
)
READ = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60  # some megabytes, made once


class Besiegers:
    """What they do, and how long they are let."""

    def __init__(self, port: int, seconds: float) -> None:
        """Come to this port for so long."""
        self.port = port
        self.ends = time.monotonic() + seconds
        self.closed: dict[str, list[float]] = {}

    async def silent(self, sock: socket.socket) -> None:
        """Say nothing."""
        await asyncio.get_running_loop().sock_recv(sock, 1)

    async def half_a_head(self, sock: socket.socket) -> None:
        """Send a head byte by byte."""
        await self._drip(sock, HEAD)

    async def half_a_body(self, sock: socket.socket) -> None:
        """Send a whole head, and the body byte by byte."""
        await asyncio.get_running_loop().sock_sendall(sock, BODY)
        await self._drip(sock, b" " * 90_000)

    async def reader(self, sock: socket.socket) -> None:
        """Ask for a lot, and take it byte by byte."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, READ)
        for _ in range(10_000):
            # What came before a line was cut can be read long after.
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or not await loop.sock_recv(sock, 50):
                return
            await asyncio.sleep(DRIP / 3)

    async def _drip(self, sock: socket.socket, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for byte in data:
            await loop.sock_sendall(sock, bytes([byte]))
            with suppress(TimeoutError):
                async with asyncio.timeout(DRIP):
                    await loop.sock_recv(sock, 4096)
                    return

    async def come(self, what: Callable[[socket.socket], Awaitable[None]]) -> None:
        """Do it again and again until it is over."""
        times = self.closed.setdefault(what.__name__, [])
        loop = asyncio.get_running_loop()
        while (left := self.ends - time.monotonic()) > 0:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.setblocking(False)  # noqa: FBT003 - the method takes it so
                try:
                    async with asyncio.timeout(left):
                        await loop.sock_connect(sock, ("127.0.0.1", self.port))
                        began = time.monotonic()
                        with suppress(ConnectionError):
                            await what(sock)
                        times.append(time.monotonic() - began)
                except (TimeoutError, OSError):
                    await asyncio.sleep(0.05)


async def besiege(port: int, count: int, seconds: float) -> dict[str, list[float]]:
    """Come with so many connections at a time, of every kind as many."""
    those = Besiegers(port, seconds)
    kinds = (those.silent, those.half_a_head, those.half_a_body, those.reader)
    coming = []
    for n in range(count):
        coming.append(asyncio.create_task(those.come(kinds[n % len(kinds)])))
        await asyncio.sleep(2 / count)
    await asyncio.gather(*coming)
    return those.closed


if __name__ == "__main__":
    found = asyncio.run(besiege(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
    print(
        json.dumps({kind: [len(times), round(max(times, default=0.0), 2)] for kind, times in found.items()}), flush=True
    )
