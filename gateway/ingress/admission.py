"""How much of what is sent may be held in memory at once: beyond it a request is refused before the rest of its body is read.

Room for a whole body is taken when its beginning is there, so that of many that come together some are read to the end rather
than all to the middle; but not before, or a thousand heads that announce bodies would have all the room there is.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.ingress.refusal import Refusal

# One part in so many of the memory there is: a body is held some times over while it is read, checked and written down.
_SHARE = 16
_LEAST = 4 * 1024 * 1024  # bytes; with less there would be no gateway
_MOST = 256 * 1024 * 1024  # bytes; more is minutes of work
_VOUCHED = 8  # times as much as came of a body may be held for it
_AGAIN = 2  # seconds after which bodies have been dealt with
_CONTROL_GROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of version 2, and of 1

# Whoever reads a body says of each piece how many bytes it has; Refusal when there is no room for it.
ROOM: web.RequestKey[Callable[[int], None]] = web.RequestKey("room", Callable)  # type: ignore[arg-type] # a form, no class


def memory() -> int:
    """The bytes of memory that the system lets this process have."""
    _, limit = resource.getrlimit(resource.RLIMIT_AS)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    known = [physical, *([limit] if limit != resource.RLIM_INFINITY else []), *_of_control_group(_CONTROL_GROUP)]
    return min(known)


def share(of: int) -> int:
    """The bytes of bodies that may be held at once with so much memory."""
    return min(max(of // _SHARE, _LEAST), _MOST)


def _of_control_group(files: Iterable[str]) -> Iterator[int]:
    for file in files:
        with suppress(OSError):
            written = Path(file).read_text(encoding="ascii").strip()
            if written.isdecimal():
                yield int(written)


def middleware(most: int, longest: int) -> Middleware:
    """Let requests in as long as the bodies of those under way are together no more than `most` bytes; Refusal beyond.

    One that does not say how long it is may be as long as `longest`, as all are that are no files; and is what came of it beyond.
    """
    held = 0

    @web.middleware
    async def admit(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        nonlocal held
        if not request.body_exists:
            return await handler(request)
        size = request.content_length if request.content_length is not None else longest
        own = arrived = 0

        def take(piece: int) -> None:
            nonlocal held, own, arrived
            arrived += piece
            wanted = max(own, arrived, min(size, arrived * _VOUCHED))
            if held + wanted - own > most:
                raise _full()
            held, own = held + wanted - own, wanted

        if held >= most:
            raise _full()
        request[ROOM] = take
        try:
            return await handler(request)
        finally:
            held -= own

    return admit


def _full() -> Refusal:
    said = "the gateway holds as much of what it was sent as it has memory for; nothing was begun"
    return Refusal("overloaded", said, retry_after=_AGAIN)
