"""How much of what is sent may be held in memory at once: beyond it a request is refused before its body is read."""

from __future__ import annotations

import os
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.ingress.body import LARGEST_BODY
from gateway.ingress.refusal import Refusal

# One part in so many of the memory there is: a body is held some times over while it is read, checked and written down.
_SHARE = 16
_LEAST = 4 * 1024 * 1024  # bytes; with less there would be no gateway
_MOST = 256 * 1024 * 1024  # bytes; more is minutes of work
_AGAIN = 2  # seconds after which bodies have been dealt with
_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def memory() -> int:
    """The bytes of memory that the system lets this process have."""
    _, limit = resource.getrlimit(resource.RLIMIT_AS)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    known = [physical, *([limit] if limit != resource.RLIM_INFINITY else []), *_of_control_group()]
    return min(known)


def share(of: int) -> int:
    """The bytes of bodies that may be held at once with so much memory."""
    return min(max(of // _SHARE, _LEAST), _MOST)


def _of_control_group() -> list[int]:
    try:
        written = _CONTROL_GROUP.read_text(encoding="ascii").strip()
    except OSError:
        return []
    return [int(written)] if written.isdecimal() else []


def middleware(most: int) -> Middleware:
    """Let requests in as long as the bodies of those under way are together no more than `most` bytes; Refusal beyond."""
    held = 0

    @web.middleware
    async def admit(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        nonlocal held
        if not request.body_exists:
            return await handler(request)
        # One that does not say how long it is may be as long as any.
        size = min(request.content_length if request.content_length is not None else LARGEST_BODY, LARGEST_BODY)
        if held + size > most:
            said = "the gateway holds as much of what it was sent as it has memory for; nothing was begun"
            raise Refusal("overloaded", said, retry_after=_AGAIN)
        held += size
        try:
            return await handler(request)
        finally:
            held -= size

    return admit
