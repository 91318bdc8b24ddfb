"""How much may be held at once: beyond it a request is refused before its body is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress import admission
from gateway.ingress.refusal import Refusal

MIB = 1024 * 1024
LONGEST = 100_000  # bytes


@asynccontextmanager
async def admitting(most: int, held: asyncio.Event) -> AsyncIterator[TestClient]:
    """A server that keeps each body until it is let go, behind a limit."""

    async def handle(request: web.Request) -> web.Response:
        async for piece in request.content.iter_any():
            request[admission.ROOM](len(piece))
        await held.wait()
        return web.Response(text="read")

    @web.middleware
    async def worded(request: web.Request, handler):
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.Response(status=refusal.code.status, headers={"Retry-After": str(refusal.retry_after)})

    app = web.Application(middlewares=[worded, admission.middleware(most, LONGEST)])
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
        yield b"x" * (LONGEST // 2)

    held = asyncio.Event()
    held.set()
    for most, status in ((LONGEST - 1, 503), (LONGEST, 200)):
        async with admitting(most, held) as client, client.post("/", data=pieces()) as answer:
            assert answer.status == status


async def test_a_body_that_is_announced_and_does_not_come_takes_no_room() -> None:
    """Heads and single bytes keep nobody out: room for a whole body is taken once an eighth of it is there."""
    held = asyncio.Event()
    async with admitting(1000, held) as client:
        lines = [await asyncio.open_connection(client.host, client.port) for _ in range(20)]
        for _, writer in lines:
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        await asyncio.sleep(0.05)
        first = await statuses(client, 800)
        lines[0][1].write(b"x" * 130)
        assert b" 503 " in await lines[0][0].readline()
        held.set()
        assert await first[0] == (200, None)
        for _, writer in lines:
            writer.close()


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


def test_a_limit_of_either_version_counts(tmp_path: Path) -> None:
    """What a container may have is told in one of two places; where it may have any amount nothing is."""
    (tmp_path / "one").write_text("max\n")
    (tmp_path / "other").write_text("1048576\n")
    files = [str(tmp_path / name) for name in ("none", "one", "other")]
    assert list(admission._of_control_group(files)) == [1_048_576]
