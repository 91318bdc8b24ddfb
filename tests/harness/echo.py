"""A provider that is of no use and keeps nothing to itself."""

from __future__ import annotations

import base64
import json
from contextlib import AsyncExitStack

from aiohttp import web


async def echo(stack: AsyncExitStack) -> str:
    """A provider that fails every call and repeats all it was sent, in every spelling, at length."""
    counted = iter(range(1_000_000))

    async def answer(request: web.Request) -> web.Response:
        sent = json.dumps(dict(request.headers)) + await request.text()
        status = (401, 500, 400, 429)[next(counted) % 4]
        if status == 500:
            return web.Response(status=500, text=f"<html>{sent}</html>", content_type="text/html")
        encoded = base64.b64encode(request.headers.get("Authorization", "").encode()).decode()
        said = f"not accepted: {sent} {encoded} {sent.encode().hex()} {'x' * 5000}"
        return web.json_response(
            {"error": {"code": "AuthenticationError", "message": said}, "detail": said}, status=status
        )

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
