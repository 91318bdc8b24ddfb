"""Something between a client and the gateway that spoils answers: the work is done, and the client is told otherwise."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_NOT_PASSED_ON = {"host", "content-length", "transfer-encoding", "connection"}
_HASTE = 0.3  # seconds


@dataclass
class Between:
    """What stands between: the next `spoil` answers are a 502, the next `cut` ones a broken line. `told` has all that was answered.

    The next `give_up` requests that take longer are not waited for: the line is dropped and a 504 told, as hasty proxies do.
    """

    origin: str = ""
    spoil: int = 0
    cut: int = 0
    give_up: int = 0
    told: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def between(far: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Between]:
    """Pass everything on to `far` and back; with `tls` over that, to clients that speak nothing else."""
    made = Between()

    async def pass_on(request: web.Request) -> web.StreamResponse:
        made.asked.append({name.lower(): value for name, value in request.headers.items()})
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        body = await request.read()
        try:
            async with (
                asyncio.timeout(_HASTE if made.give_up > 0 else None),
                session.request(
                    request.method, far + request.raw_path, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                body = await answer.read()
        except TimeoutError:
            made.give_up -= 1
            return web.Response(status=504, text="<html>gateway timeout</html>", content_type="text/html")
        made.told.append((answer.status, {name.lower(): value for name, value in answer.headers.items()}))
        if made.cut > 0:
            made.cut -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=502)
        if made.spoil > 0:
            made.spoil -= 1
            return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
        return web.Response(status=answer.status, body=body, headers=kept)

    application = web.Application(client_max_size=200_000_000)
    application.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        async with aiohttp.ClientSession() as session:
            made.origin = f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
            yield made
    finally:
        await runner.cleanup()
