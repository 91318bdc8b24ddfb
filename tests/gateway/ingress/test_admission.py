"""How much may be held at once: beyond it a request is refused before its body is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress import admission
from gateway.ingress.refusal import Refusal

MIB = 1024 * 1024


@asynccontextmanager
async def admitting(most: int, held: asyncio.Event) -> AsyncIterator[TestClient]:
    """A server that keeps each body until it is let go, behind a limit."""

    async def handle(request: web.Request) -> web.Response:
        await held.wait()
        return web.Response(text=str(len(await request.read())))

    @web.middleware
    async def worded(request: web.Request, handler):
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.Response(status=refusal.code.status, headers={"Retry-After": str(refusal.retry_after)})

    app = web.Application(middlewares=[worded, admission.middleware(most)])
    app.router.add_route("*", "/", handle)
    async with TestClient(TestServer(app)) as client:
        yield client


async def statuses(client: TestClient, *sizes: int) -> list[asyncio.Task]:
    """Begin a request with each of these bodies, one after the other."""

    async def ask(size: int) -> tuple[int, str | None]:
        async with client.post("/", data=b"x" * size) as answer:
            return answer.status, answer.headers.get("Retry-After")

    begun = []
    for size in sizes:
        begun.append(asyncio.create_task(ask(size)))
        await asyncio.sleep(0.05)
    return begun


async def test_bodies_are_let_in_up_to_the_limit() -> None:
    """What fits is served; what does not is told to come again, and fits once the others are dealt with."""
    held = asyncio.Event()
    async with admitting(1000, held) as client:
        first = await statuses(client, 600, 400, 1)
        assert await first[2] == (503, "2")
        held.set()
        assert [await each for each in first[:2]] == [(200, None)] * 2
        [again] = await statuses(client, 1000)
        assert await again == (200, None)


async def test_a_request_without_a_body_is_always_let_in() -> None:
    """Reads, probes and cancels need no room."""
    held = asyncio.Event()
    async with admitting(10, held) as client:
        await statuses(client, 10)
        held.set()
        async with client.get("/") as answer:
            assert answer.status == 200


async def test_a_body_of_unknown_length_counts_as_the_longest() -> None:
    """Whoever does not say how much is coming may send as much as anybody."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    held = asyncio.Event()
    held.set()
    for most, status in ((admission.LARGEST_BODY - 1, 503), (admission.LARGEST_BODY, 200)):
        async with admitting(most, held) as client, client.post("/", data=pieces()) as answer:
            assert answer.status == status


async def test_a_caller_who_hangs_up_gives_the_room_back() -> None:
    """A body whose sender is gone counts no more."""
    held = asyncio.Event()
    async with admitting(10, held) as client:
        [gone] = await statuses(client, 10)
        gone.cancel()
        held.set()
        await asyncio.sleep(0.05)
        [another] = await statuses(client, 10)
        assert (await another)[0] == 200


@pytest.mark.parametrize(
    ("memory", "bodies"), [(0, 4 * MIB), (64 * MIB, 4 * MIB), (1600 * MIB, 100 * MIB), (1 << 40, 256 * MIB)]
)
def test_the_share_of_memory(memory: int, bodies: int) -> None:
    """A sixteenth, but no less than a gateway needs and no more than is any use."""
    assert admission.share(memory) == bodies


def test_the_memory_there_is_is_known() -> None:
    """Some of it at least, and no more than an address can name."""
    assert 64 * MIB < admission.memory() < 1 << 62
