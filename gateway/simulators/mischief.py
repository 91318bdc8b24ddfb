"""Sends an answer, or what a fault makes of it on the wire: cut short, of another shape, or never ending."""

from __future__ import annotations

import asyncio
import json
import socket
import struct

from aiohttp import web

from gateway.simulators.chaos import Do
from gateway.simulators.vendor import Reply

_PAGE = (
    b"<!doctype html><html><head><title>Just a moment</title></head><body><h1>Checking your browser</h1></body></html>"
)
_ANOTHER_SHAPE = {"ok": True, "result": [{"payload": {"kind": "unheard of"}}]}
# How much more a truncated answer promises than it sends.
_PROMISED = 512
_TRICKLE_SECONDS = 1.0
# A slow file comes in so many parts, with this pause between them: ten seconds in all.
_PARTS, _PART_SECONDS = 20, 0.5


def drop(request: web.Request) -> web.Response:
    """Reset the connection; what is returned can no longer be sent."""
    transport = request.transport
    if transport is not None:
        line = transport.get_extra_info("socket")
        if line is not None:
            # Lingering for no time makes closing a reset instead of an orderly end.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def packed(reply: Reply) -> tuple[bytes, dict[str, str]]:
    """Return a reply's bytes and headers."""
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        return reply.body, headers
    if reply.body is None:
        return b"", headers
    headers.setdefault("Content-Type", "application/json")
    return json.dumps(reply.body).encode(), headers


async def send(request: web.Request, reply: Reply, do: Do | None) -> web.StreamResponse:
    """Send a reply as the fault `do` has it; faults that are not about sending change nothing."""
    data, headers = packed(reply)
    match do:
        case Do.HTML | Do.OUTPUT_HTML:
            response: web.StreamResponse = web.Response(body=_PAGE, content_type="text/html")
        case Do.EMPTY:
            response = web.Response(body=b"")
        case Do.WRONG_SHAPE:
            response = web.json_response(_ANOTHER_SHAPE)
        case Do.TRUNCATED | Do.OUTPUT_TRUNCATED:
            response = await _truncated(request, reply.status, data, headers)
        case Do.TRICKLE:
            response = await _trickle(request)
        case Do.OUTPUT_SLOW:
            response = await _slow(request, reply.status, data, headers)
        case _:
            response = web.Response(status=reply.status, body=data, headers=headers)
    return response


async def _truncated(request: web.Request, status: int, data: bytes, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(data) + _PROMISED
    await response.prepare(request)
    await response.write(data[: max(1, len(data) // 2)])
    if request.transport is not None:
        request.transport.close()
    return response


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b"{")
    while True:
        await asyncio.sleep(_TRICKLE_SECONDS)
        await response.write(b" ")


async def _slow(request: web.Request, status: int, data: bytes, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(data)
    await response.prepare(request)
    size = -(-len(data) // _PARTS)
    for start in range(0, len(data), size):
        await response.write(data[start : start + size])
        await asyncio.sleep(_PART_SECONDS)
    return response
