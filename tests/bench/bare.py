"""The least that aiohttp can do, in a process of its own: a pass-through that does nothing else, and answers that are always the same.

`POST` and `GET` of any path go to the far end and back. `GET /static` and `POST /static` give the text named on the command line.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web

_PASSED = ("Content-Type", "Authorization")


def application(far: str, static: bytes, session: aiohttp.ClientSession) -> web.Application:
    """Read the body, forward it, answer with what came back."""

    async def forward(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        async with session.request(
            request.method, far + request.path_qs, data=await request.read(), headers=headers
        ) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    async def stand(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=static, content_type="application/json")

    found = web.Application(client_max_size=1 << 30)
    found.router.add_route("*", "/static", stand)
    found.router.add_route("*", "/{path:.*}", forward)
    return found


async def _main(port: int, far: str, static: bytes) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        runner = web.AppRunner(application(far, static, session), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3].encode()))
