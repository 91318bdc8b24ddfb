"""An application served on an address: the door, the connections that come through it, and the watch over them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.web_protocol import ERROR

from gateway.clock import Clock
from gateway.ingress import admission, connection, door
from gateway.ingress.address import Network
from gateway.ingress.connection import Connection
from gateway.ingress.drain import Drain
from gateway.ingress.envelope import Outside
from gateway.ingress.screen import screen
from gateway.ingress.watch import Watch

_LAST_ANSWERS = 1.0  # seconds for what is still under way when all had their time: see `drain`
_USUAL_VERSIONS = frozenset({(1, 0), (1, 1)})
_VERSION: web.RequestKey[tuple[int, int]] = web.RequestKey("version", tuple)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for who comes in: `idle` s without a request, `most` connections of one address, `trusted` proxies aside.

    With `preambles` the trusted proxies begin each connection with the PROXY protocol, and nobody else comes in. With `tls`
    whoever begins with it is served so, on the same port as the others. A `drain` is told of all who are in.
    """

    idle: float = 75.0
    most: int | None = None
    trusted: tuple[Network, ...] = ()
    preambles: bool = False
    tls: ssl.SSLContext | None = None
    drain: Drain | None = None


@asynccontextmanager
async def serving(
    application: web.Application, host: str, port: int, *, clock: Clock, outside: Outside, terms: Terms
) -> AsyncIterator[str]:
    """Serve, and give the origin; on leaving take nobody in, and let requests under way end. OSError for the address."""
    drain = terms.drain or Drain(clock)
    async with AsyncExitStack() as stack:
        watch = Watch(clock, idle=terms.idle, most=terms.most, exempt=terms.trusted)
        drain.watches.append(watch)
        watch.start()
        stack.push_async_callback(watch.stop)
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=_LAST_ANSWERS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        balancers = terms.trusted if terms.preambles else None
        make = _behind(runner.server, connection.Terms(watch, outside, balancers, terms.tls))
        entrance = door.Door(make, clock, door.affordable(admission.memory()), relieve=watch.relieve)
        host, port = await entrance.open(host, port)
        stack.push_async_callback(drain.last)
        stack.push_async_callback(entrance.close)
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _behind(server: web.Server, terms: connection.Terms) -> Callable[[], Connection]:
    """Give what makes the protocol of each connection to a server; what has no business there is refused before the server sees it."""
    make, handle = server.request_factory, server.request_handler

    def request(message: Any, *more: Any) -> web.BaseRequest:
        # An answer is in the version of its request, and none can be in one that is not spoken or could not be read.
        is_usual = message.version in _USUAL_VERSIONS and message is not ERROR
        spoken = message if is_usual else message._replace(version=HttpVersion11)
        made = make(spoken, *more)
        made[_VERSION] = message.version
        return made

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request), "the server makes them"
        assert isinstance(request.protocol, Connection), "the server makes them"
        request.protocol.begin(request.content)
        refusal = screen(request.method, request.raw_path, request[_VERSION], request.headers)
        return await handle(request) if refusal is None else request.protocol.refuse(request, refusal)

    server.request_factory, server.request_handler = request, handler
    return lambda: Connection(server, terms)
