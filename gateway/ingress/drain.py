"""The end of a gateway's service: nobody new is served, and whoever is in leaves with an answer.

The socket stays open to the last. A client that comes late is told to come again, and where to is the balancer's business; one
that finds nobody is told nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.clock import Clock
from gateway.ingress.refusal import Refusal
from gateway.ingress.watch import Watch

_LAST_ANSWERS = 10.5  # seconds for requests under way: what they wait for is let go of within ten
_AGAIN = 2  # seconds after which another replica, or the next start, is there for whoever was turned away
_LOOK = 0.02  # seconds between looks whether all have their answers
# Seconds in which every connection that is in use brings a request, to be ended with its answer. One that we end by ourselves may
# have a request on its way.
_PARTING = 1.0
_COMING = 0.5  # seconds for what was begun to be said when the door was closed
# What is answered to the end, as it spells its paths: it is asked by those who want to know that the end has come.
_TOLD = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Drain:
    """How far a gateway has come on its way out."""

    def __init__(self, clock: Clock) -> None:
        """Serve as usual until told otherwise."""
        self.watches: list[Watch] = []  # of each address that is listened on
        self._clock = clock
        self._parting: float | None = None
        self._closed = False

    def part(self) -> None:
        """Serve on, and send each client elsewhere for its next request: its connection ends with its answer."""
        if self._parting is None:
            self._parting = self._clock.monotonic()

    def close(self) -> None:
        """Turn away whoever comes from now on."""
        self.part()
        self._closed = True

    async def quiet(self) -> None:
        """Wait until every request has its answer, and connections in use had one to end with; for some seconds at most."""
        assert self._parting is not None, "asked when it was closed"
        began = self._clock.monotonic()
        while (now := self._clock.monotonic()) - began < _LAST_ANSWERS:
            if not any(watch.present.busy for watch in self.watches) and (
                now - self._parting >= _PARTING or not any(watch.present.all for watch in self.watches)
            ):
                return
            await self._clock.sleep(_LOOK)

    async def last(self) -> None:
        """Wait for those who had come in when the door was closed to say what they want, and to be answered."""
        began = self._clock.monotonic()
        while any(watch.present.busy or watch.present.awaited for watch in self.watches):
            if self._clock.monotonic() - began >= _COMING:
                return
            await self._clock.sleep(_LOOK)

    def around(self, envelope: Middleware) -> tuple[Middleware, Middleware, Middleware]:
        """Stand before the envelope, to end connections with its answers, and behind it, to refuse in its words."""

        @web.middleware
        async def see_off(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            if self._parting is not None:
                response.force_close()
            return response

        @web.middleware
        async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._closed and not _is_told(request.path):
                said = "the gateway is stopping; nothing was begun, ask again"
                raise Refusal("overloaded", said, retry_after=_AGAIN)
            return await handler(request)

        return see_off, envelope, turn_away


def _is_told(path: str) -> bool:
    return path.removeprefix("/v1").rstrip("/") in _TOLD
