"""A stored output that is no local file, sent as a web server would send one: whole, in part, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

from aiohttp import web

from gateway import log
from gateway.artifacts.fault import StorageFault
from gateway.artifacts.store import Stored
from gateway.ingress.envelope import dress


async def streamed(request: web.Request, stored: Stored, headers: Mapping[str, str], tag: str) -> web.StreamResponse:
    """Send what the request asks for; `tag` tells these bytes from all others. StorageFault before anything was sent."""
    if _has(request, tag):
        unchanged = web.Response(status=304, headers=headers)
        unchanged.etag = tag
        return unchanged
    wanted = _wanted(request, stored.size, tag)
    if wanted is None:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{stored.size}"})
    start, stop, is_part = wanted
    response = web.StreamResponse(status=206 if is_part else 200, headers={**headers, "Accept-Ranges": "bytes"})
    if is_part:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    response.etag = tag
    response.content_length = stop - start
    dress(request, response)
    if request.method == "HEAD" or start == stop:
        await response.prepare(request)
        await response.write_eof()
        return response
    async with aclosing(stored.read(start, stop)) as pieces:
        try:
            # Read before the status is said: a store that is down is then told as that.
            first = await anext(pieces)
            await response.prepare(request)
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
        except StorageFault as fault:
            if not response.prepared:
                raise
            # The length was promised, so a connection that ends early is the one way to say that this is not all.
            log.event("output_cut_short", level="warning", reason=str(fault))
            if request.transport is not None:
                request.transport.abort()
            return response
    await response.write_eof()
    return response


def _has(request: web.Request, tag: str) -> bool:
    return any(each.value in {tag, "*"} for each in (request.if_none_match or ()))


def _wanted(request: web.Request, size: int, tag: str) -> tuple[int, int, bool] | None:
    """From which byte up to which, and whether a part was asked for; None for a part that there is not."""
    condition = request.headers.get("If-Range")
    if "Range" not in request.headers or (condition is not None and condition.strip() != f'"{tag}"'):
        return 0, size, False
    try:
        asked = request.http_range
    except ValueError:
        return None
    start, stop = asked.start, asked.stop
    if start is None and stop is None:
        return 0, size, False
    if start is not None and start < 0:
        return max(0, size + start), size, True
    start, stop = start or 0, size if stop is None else min(stop, size)
    return (start, stop, True) if start < stop else None
