"""A server behind the real door and walls, and raw lines to it: what a client sends here is sent to the byte."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from aiohttp import web

from gateway.clock import Clock, SystemClock
from gateway.ingress import admission, body, entrance, envelope
from gateway.ingress.envelope import Answered, Outside

TERMS = entrance.Terms()
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Seen:
    """What came through the walls, and what was counted."""

    ran: list[str] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    lines: list[asyncio.Transport] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)


def application(seen: Seen) -> web.Application:
    """A few routes that note that they ran."""

    async def plain(request: web.Request) -> web.Response:
        seen.ran.append(f"{request.method} {request.path}")
        return envelope.success(request, "ok", {"remote": request.remote, "host": request.host})

    async def take(request: web.Request) -> web.Response:
        sent = await body.read(request)
        seen.ran.append(f"read {len(sent)}")
        return envelope.success(request, "ok", {})

    async def hurry(request: web.Request) -> web.Response:
        sent = await body.read(request, within=0.05)
        return envelope.success(request, "ok", sent)

    async def wait(request: web.Request) -> web.Response:
        seen.ran.append("waits")
        await seen.held.wait()
        return envelope.success(request, "ok", {})

    async def large(request: web.Request) -> web.Response:
        assert request.transport is not None
        seen.lines.append(request.transport)
        return web.Response(body=bytes(20_000_000))

    around = envelope.middleware(SystemClock(), seen.answered.append, os.urandom)
    app = web.Application(middlewares=[around, admission.middleware(1 << 24, body.LARGEST_BODY)])
    app.add_routes(
        [
            web.get("/v1/plain", plain),
            web.get("/v1/second", plain),
            web.post("/v1/take", take),
            web.post("/v1/hurry", hurry),
            web.get("/v1/wait", wait),
            web.get("/v1/large", large),
        ]
    )
    return app


@asynccontextmanager
async def walled(
    app: web.Application, *, clock: Clock | None = None, terms: entrance.Terms = TERMS, seen: Seen | None = None
) -> AsyncIterator[int]:
    """Serve it, and give the port."""
    clock, answered = clock or SystemClock(), (seen or Seen()).answered
    outside = Outside(clock, answered.append, os.urandom)
    async with entrance.serving(app, "127.0.0.1", 0, clock=clock, outside=outside, terms=terms) as origin:
        yield int(origin.rpartition(":")[2])


@dataclass(frozen=True)
class Heard:
    """All that was heard on a line, and whether the other side closed it."""

    raw: bytes
    closed: bool

    @property
    def answers(self) -> list[tuple[int, dict[str, str], Any]]:
        """The answers: status, headers by their names in small letters, and the body as JSON where it says it is."""
        found, at = [], 0
        while at < len(self.raw):
            end = self.raw.index(b"\r\n\r\n", at)
            status, *lines = self.raw[at:end].decode("ascii").split("\r\n")
            headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
            assert len(headers) == len(lines), lines
            at = end + 4 + int(headers.get("content-length", 0))
            data = self.raw[end + 4 : at]
            as_json = headers.get("content-type", "").startswith("application/json")
            found.append((int(status.split()[1]), headers, json.loads(data) if as_json else data))
        return found

    @property
    def statuses(self) -> list[int]:
        """The statuses of all answers."""
        return [status for status, _, _ in self.answers]


async def tell(port: int, *pieces: bytes, within: float = 0.3) -> Heard:
    """Send some pieces, one after the other, and hear until the line is closed or nothing comes for so long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for n, piece in enumerate(pieces):
            if n:
                await asyncio.sleep(0.03)
            writer.write(piece)
        return await hear(reader, within)
    finally:
        writer.close()


async def hear(reader: asyncio.StreamReader, within: float = 0.3) -> Heard:
    """Hear what comes until the line is closed, or nothing comes for so long."""
    raw = bytearray()
    try:
        while True:
            async with asyncio.timeout(within):
                piece = await reader.read(65536)
            if not piece:
                return Heard(bytes(raw), closed=True)
            raw += piece
    except TimeoutError:
        return Heard(bytes(raw), closed=False)
    except ConnectionError:
        return Heard(bytes(raw), closed=True)
