"""A receiver over HTTP: it answers as it is told and remembers what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Got:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What a receiver does, by path, and what it got. A status, a whole answer, or something to wait for."""

    origin: str = ""
    does: dict[str, Any] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def of(self, path: str) -> list[Got]:
        """What came to one path."""
        return [each for each in self.got if each.path == path]

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Remember a request and answer it."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.got.append(Got(request.path, dict(request.headers), await request.read()))
            wanted = self.does.get(request.path, 204)
            if callable(wanted):
                wanted = await wanted(request)
            return wanted if isinstance(wanted, web.StreamResponse) else web.Response(status=wanted)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def hang(_request: web.Request) -> web.Response:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


def pausing(seconds: float) -> Callable[[web.Request], Awaitable[int]]:
    """Answer well, after a while."""

    async def answer(_request: web.Request) -> int:
        await asyncio.sleep(seconds)
        return 200

    return answer


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something holds."""
    for _ in range(int(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")
