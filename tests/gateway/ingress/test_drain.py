"""The end of a gateway's service, as its clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.clock import SystemClock
from gateway.ingress import entrance, envelope
from gateway.ingress.drain import Drain


@dataclass
class Place:
    """A server that can be made to go, and a client of it."""

    drain: Drain
    client: aiohttp.ClientSession
    leaving: AsyncExitStack
    origin: str = ""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, str | None, str | None]:
        """Send a request: status, what the answer says of the connection, and when to come again."""
        async with self.client.request(method, self.origin + path, **more) as answer:
            await answer.read()
            return answer.status, answer.headers.get("Connection"), answer.headers.get("Retry-After")


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A server of one slow and one quick page."""
    clock = SystemClock()
    drain = Drain(clock)
    async with aiohttp.ClientSession() as client, AsyncExitStack() as leaving:
        found = Place(drain, client, leaving)

        async def quick(request: web.Request) -> web.Response:
            await request.read()
            found.begun.append(request.path)
            return web.Response(text="done")

        async def slow(request: web.Request) -> web.Response:
            found.begun.append(request.path)
            await found.let_go.wait()
            return web.Response(text="done")

        around = envelope.middleware(clock, lambda _: None, lambda size: b"0" * size)
        application = web.Application(middlewares=[*drain.around(around)], client_max_size=10**8)
        for path in ("/v1/work", "/readyz"):
            application.router.add_route("*", path, quick)
        application.router.add_get("/v1/slow", slow)
        outside = envelope.Outside(clock, lambda _: None, lambda size: b"0" * size)
        serving = entrance.serving(
            application, "127.0.0.1", 0, clock=clock, outside=outside, terms=entrance.Terms(drain=drain)
        )
        found.origin = await leaving.enter_async_context(serving)
        yield found


async def test_whoever_is_served_while_it_parts_is_sent_elsewhere(place: Place) -> None:
    """Requests are taken as ever, each on its connection's last answer."""
    assert await place.ask("GET", "/v1/work") == (200, None, None)
    place.drain.part()
    assert await place.ask("GET", "/v1/work") == (200, "close", None)
    assert place.begun == ["/v1/work", "/v1/work"]


async def test_whoever_comes_after_the_close_is_told_when_to_come_again(place: Place) -> None:
    """Nothing is begun, the answer has the shape of every other, and a body that is not wanted does not hide it."""
    place.drain.close()
    status, connection, again = await place.ask("POST", "/v1/work", data=b"x" * 900_000)
    assert (status, connection) == (503, "close")
    assert int(again or 0) >= 1
    async with place.client.get(place.origin + "/v1/elsewhere") as answer:
        assert (await answer.json())["error"]["type"] == "overloaded"
    assert place.begun == []


async def test_probes_are_answered_to_the_end(place: Place) -> None:
    """Those who ask whether it is ready are told by whoever knows, however they spell it."""
    place.drain.close()
    assert (await place.ask("GET", "/readyz"))[0] == 200
    assert (await place.ask("GET", "/v1/readyz/"))[0] == 404  # let through to the router, which has no such path here


async def test_a_request_under_way_is_waited_for(place: Place) -> None:
    """It is quiet once the slow one has its answer, and no sooner."""
    slow = asyncio.create_task(place.ask("GET", "/v1/slow"))
    async with asyncio.timeout(5):
        for _ in range(500):
            if place.begun:
                break
            await asyncio.sleep(0.01)
    place.drain.close()
    quiet = asyncio.create_task(place.drain.quiet())
    await asyncio.sleep(0.1)
    assert not quiet.done()
    place.let_go.set()
    await asyncio.wait_for(quiet, 5)
    assert await slow == (200, "close", None)


async def test_nobody_is_waited_for_where_nobody_is(place: Place) -> None:
    """Without a connection it is quiet at once."""
    place.drain.close()
    await asyncio.wait_for(place.drain.quiet(), 0.5)


async def test_whoever_stood_at_the_door_when_it_closed_has_an_answer(place: Place) -> None:
    """Connections that the system had let come are served, and none is taken back."""
    place.drain.close()
    host, port = place.origin.removeprefix("http://").split(":")
    lines = [await asyncio.open_connection(host, int(port)) for _ in range(30)]
    for _, writer in lines:
        writer.write(b"GET /v1/work HTTP/1.1\r\nHost: gate\r\n\r\n")
    gone = asyncio.create_task(place.leaving.aclose())
    heard = [await asyncio.wait_for(reader.read(), 5) for reader, _ in lines]
    await gone
    assert {each.split(b" ")[1] for each in heard} == {b"503"}
    for _, writer in lines:
        writer.close()
